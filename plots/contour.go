package plots

import "math"

// A grid is values at the crossings of columns and rows; NaN where there is
// none.
type grid struct {
	columns, rows int
	values        []float64 // row by row
}

func (g *grid) at(column, row int) float64 { return g.values[row*g.columns+column] }

// A gridPoint is a place between crossings, in columns and rows.
type gridPoint struct{ column, row float64 }

// contour returns the lines on which the grid has a level, by linear
// interpolation along the edges between neighbours (marching squares, with the
// mean of the corners deciding at a saddle). A square with a missing corner has
// none.
func (g *grid) contour(level float64) [][]gridPoint {
	// Each edge of the grid has a number, so that the pieces of neighbouring
	// squares join exactly: 2n is the edge to the right of crossing n, 2n+1 the
	// one above it.
	next := make(map[int][]int)
	var starts []int
	join := func(a, b int) {
		next[a], next[b] = append(next[a], b), append(next[b], a)
		starts = append(starts, a, b)
	}
	for row := range g.rows - 1 {
		for column := range g.columns - 1 {
			g.square(column, row, level, join)
		}
	}
	var lines [][]gridPoint
	trace := func(from int) {
		line := []gridPoint{g.onEdge(from, level)}
		for at := from; len(next[at]) > 0; {
			to := next[at][0]
			next[at] = next[at][1:]
			next[to] = without(next[to], at)
			line = append(line, g.onEdge(to, level))
			at = to
		}
		lines = append(lines, line)
	}
	for _, s := range starts { // open lines from their ends, then closed ones
		if len(next[s]) == 1 {
			trace(s)
		}
	}
	for _, s := range starts {
		if len(next[s]) > 0 {
			trace(s)
		}
	}
	return lines
}

func without(list []int, v int) []int {
	for i, w := range list {
		if w == v {
			return append(append([]int(nil), list[:i]...), list[i+1:]...)
		}
	}
	return list
}

// square joins the edges that a level crosses around one square.
func (g *grid) square(column, row int, level float64, join func(a, b int)) {
	corners := [4]float64{g.at(column, row), g.at(column+1, row), g.at(column+1, row+1), g.at(column, row+1)}
	n := row*g.columns + column
	edges := [4]int{2 * n, 2*(n+1) + 1, 2 * (n + g.columns), 2*n + 1} // below, right, above, left
	var crossed []int
	sum := 0.0
	for i, v := range corners {
		if math.IsNaN(v) {
			return
		}
		sum += v
		if (v >= level) != (corners[(i+1)%4] >= level) {
			crossed = append(crossed, edges[i])
		}
	}
	switch len(crossed) {
	case 2:
		join(crossed[0], crossed[1])
	case 4:
		if (sum/4 >= level) == (corners[0] >= level) { // cut off the other two corners
			join(crossed[0], crossed[1])
			join(crossed[2], crossed[3])
		} else {
			join(crossed[3], crossed[0])
			join(crossed[1], crossed[2])
		}
	}
}

// onEdge is where a level crosses an edge.
func (g *grid) onEdge(edge int, level float64) gridPoint {
	n := edge / 2
	column, row := n%g.columns, n/g.columns
	a := g.at(column, row)
	if edge%2 == 0 {
		return gridPoint{float64(column) + (level-a)/(g.at(column+1, row)-a), float64(row)}
	}
	return gridPoint{float64(column), float64(row) + (level-a)/(g.at(column, row+1)-a)}
}
