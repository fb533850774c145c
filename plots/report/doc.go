// Package report writes what a results directory holds as one HTML page that
// needs no network: question, parameters, expectations, figures that can be
// enlarged and read, connections in slow motion, metrics, links to the files
// beside it, and how it was made.
//
// # The page
//
// Style sheet, script and data are in the page. Its Content-Security-Policy
// allows these, by their hashes, and nothing else, so that a page with a
// scenario of a stranger is harmless. Scenario texts are escaped by
// html/template, data are JSON in an element that is not run.
//
// Figures are those of package plots: a plots.Chart has their panels, curves and
// colours, and page.js draws them as SVG in the width that there is, so that
// letters are readable on a telephone and print is sharp. Without scripts the
// page has everything but figures and slow motion; a connection is there as
// text, too.
//
// The script is our own and has no dependency: what is to be drawn (states, event
// bands, sequence graphs, heat maps, intervals) is more than small libraries for
// charts know, and these draw on a canvas, which prints as pixels.
//
// # Size
//
// A figure has about FigurePoints points and keeps the extremes of what it leaves
// out; the page says so. Ladders have LadderEvents events together, the rest is
// in the files of trace/.
//
// # Bytes
//
// Equal results give equal bytes. What differs between two runs of one scenario,
// the time that they took, is in manifest.json and not on the page.
package report
