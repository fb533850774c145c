// Package plots draws figures from the plain values of a measure.Result, ready
// for a paper: at the width of an IEEE column, with letters of 7 to 8 points,
// colours that colour-blind readers and grey printers can tell apart, units on
// every axis, and nothing cut or covered.
//
// Draw lays out a Figure in a Style; Write stores drawings as PDF, SVG and PNG.
// Automatic describes figures for a result that comes without a description.
//
// # Kinds
//
// A timeseries stacks panels over one time axis, one for each unit (or for each
// series). Series that are counted over intervals are drawn as steps, NaN
// breaks a line, bands are shaded in all panels and named once above the first,
// and limits are dashed lines. A ratio has an axis from 0 to 1. An ecdf shows
// distributions of samples, if asked over a logarithmic axis.
//
// A new kind is a file with a function that makes panels and curves for a stack
// or fills a Drawing by itself, and a line in the table in figure.go.
//
// # How it is drawn
//
// The layout is this package's own, since small multiples with a shared axis,
// labels above them and room for the last tick label are more than gonum/plot's
// plot.Plot gives; the vector graphics, the font and the PNG and SVG canvases
// are gonum/plot's, the PDF is written by fpdf.
//
// Text is filled outlines, so that a figure looks the same with any reader and
// no journal complains about fonts; any letter of Liberation Sans can be used,
// Greek included, and superscript digits are composed. Style.FontFile sets
// another font.
//
// A line keeps at most four points per column of 1/600 inch of the page: the
// first, the lowest, the highest and the last. So a series of a million points
// takes well under a second in every format and keeps its extremes.
//
// The same input gives the same bytes. PDF files carry the date 1970-01-01.
package plots
