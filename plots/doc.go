// Package plots draws figures from plain values, ready for a paper: at the width
// of a column, with letters of 7 to 8 points, colours that colour-blind readers
// and grey printers can tell apart, units on every axis, and nothing cut or
// covered.
//
// Data.Draw lays out a Figure in a Style; Draw does so for one measure.Result.
// Write stores drawings as PDF, SVG and PNG, WriteFormats also as EPS, TeX and,
// for the data, CSV. Automatic describes figures for a result that comes
// without a description.
//
// # Kinds
//
//	timeseries  panels over one time axis, one for each unit or series; with
//	            Data.Replications the mean and its 95 % confidence interval
//	congestion  cwnd and ssthresh, RTT and RTO: a timeseries of what there is
//	queue       depth of queues, filled, with the drops marked
//	occupancy   stacked: connections in each state, or series
//	gantt       a row for each connection in the colours of its states
//	sequence    time-sequence graph: segments, ACKs, SACK, window
//	ecdf, ccdf  share of values up to, or above, each value
//	histogram   share of values in bins
//	boxplot     quartiles, whiskers of 1.5 times their distance, outliers
//	lines       metrics over a parameter of a sweep, with intervals, a line for
//	            each value of another parameter, and closed forms
//	heatmap     a metric over two parameters, with contour lines
//
// Series that are counted over intervals are drawn as steps, NaN breaks a line,
// bands are shaded in all panels and named once above the first, and limits are
// dashed lines. A ratio has an axis from 0 to 1. Data says which part of it each
// kind reads. More curves than can be told apart are an error that says what
// to do.
//
// A new kind is a file with a function that makes panels and curves for a stack
// or fills a Drawing by itself, and a line in the table in figure.go.
//
// # Theory
//
// Closed forms (ErlangB, MathisWindow, PFTK, CubicWindow and others) are plain
// functions, each with its source. A figure of lines draws them by name or in
// an expression over the parameters of the sweep: see Theory and Formulas.
//
// A Reference is values that others have found, drawn as open markers: in the
// colour and shape of a group, larger, or dark.
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
// another font. In TeX alone text is text, set by LaTeX in the font of the
// document.
//
// A line keeps at most four points per column of 1/600 inch of the page: the
// first, the lowest, the highest and the last. Points closer together than a
// third of their size are drawn once, and bars of one column that touch are
// joined. So a million points take under a second in every format and keep
// their extremes. Cells of a heatmap are one image.
//
// Shades are opaque tints, since EPS has no transparency. The colours of a
// heatmap are a straight line in Oklab from dark blue to yellow.
//
// The same input gives the same bytes in every format. PDF files carry the date
// 1970-01-01.
package plots

//go:generate go test ../cmd/tcplab -run TestDocuments -count 1 -pictures
