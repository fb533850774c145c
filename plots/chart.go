package plots

// Chart is a figure as values in place of marks on a page, for readers that draw
// it again in another size and tell the values: the same panels, curves, colours
// and names. Numbers are in the units of the data, times in seconds.
type Chart struct {
	Name   string       `json:"name"`
	Title  string       `json:"title,omitempty"`
	X      ChartAxis    `json:"x"`
	Panels []ChartPanel `json:"panels"`
	Bands  []ChartBand  `json:"bands,omitempty"`
	Keys   []ChartKey   `json:"keys,omitempty"`
	// Points is how many points the data have, Kept how many of them are here;
	// both are 0 if none is left out. Extremes are kept.
	Points int `json:"points,omitempty"`
	Kept   int `json:"kept,omitempty"`
}

// ChartAxis is an axis. What it shows is the value times Factor; a value that is
// told for itself is multiplied by ReadFactor and is in ReadUnit.
type ChartAxis struct {
	Label      string      `json:"label"`
	Factor     float64     `json:"factor"`
	ReadFactor float64     `json:"readFactor"`
	ReadUnit   string      `json:"readUnit,omitempty"`
	Lo         float64     `json:"lo"`
	Hi         float64     `json:"hi"`
	Log        bool        `json:"log,omitempty"`
	Ticks      []ChartTick `json:"ticks,omitempty"`
}

// ChartTick is a tick at a value, in place of computed ones.
type ChartTick struct {
	Value float64 `json:"v"`
	Label string  `json:"label"`
}

// ChartPanel is one of the panels above each other, which share the horizontal
// axis. With Rows the vertical axis has names, from the top, at the values
// len(Rows)-1 to 0.
type ChartPanel struct {
	Y      ChartAxis    `json:"y"`
	Rows   []string     `json:"rows,omitempty"`
	Curves []ChartCurve `json:"curves,omitempty"`
	Limits []ChartLimit `json:"limits,omitempty"`
	Spans  []ChartSpan  `json:"spans,omitempty"`
	Boxes  []ChartBox   `json:"boxes,omitempty"`
	Cells  *ChartCells  `json:"cells,omitempty"`
}

// ChartCurve is a line, a shade between two borders, strokes and markers, as far
// as it has them. Coordinates alternate: x, y, x, y.
type ChartCurve struct {
	Label string `json:"label,omitempty"`
	// Key is the label of the entry of the legend that it belongs to.
	Key    string    `json:"key,omitempty"`
	Color  string    `json:"color"`
	Dashes []float64 `json:"dashes,omitempty"`
	// Fill is the colour of the shade; empty means a tint of Color.
	Fill  string        `json:"fill,omitempty"`
	Lines []Coordinates `json:"lines,omitempty"`
	Lows  []Coordinates `json:"lows,omitempty"`
	Highs []Coordinates `json:"highs,omitempty"`
	Bars  Coordinates   `json:"bars,omitempty"` // x, low, high
	Caps  bool          `json:"caps,omitempty"`
	Dots  Coordinates   `json:"dots,omitempty"`
	// Marker is the shape of the dots: hollow-circle is an outline around what is
	// below.
	Marker string `json:"marker,omitempty"`
}

// ChartLimit is a horizontal line.
type ChartLimit struct {
	Value float64 `json:"v"`
	Label string  `json:"label,omitempty"`
}

// ChartBand is a shaded stretch of the horizontal axis.
type ChartBand struct {
	Label string  `json:"label"`
	From  float64 `json:"from"`
	Until float64 `json:"until"`
}

// ChartKey is an entry of the legend, of the panel with that index.
type ChartKey struct {
	Panel  int       `json:"panel,omitempty"`
	Label  string    `json:"label"`
	Color  string    `json:"color"`
	Dashes []float64 `json:"dashes,omitempty"`
	Line   bool      `json:"line,omitempty"`
	Box    bool      `json:"box,omitempty"`
	Stroke bool      `json:"stroke,omitempty"`
	Marker string    `json:"marker,omitempty"`
}

// ChartSpan is a bar in a row of a gantt.
type ChartSpan struct {
	Row   int     `json:"row"`
	Name  string  `json:"name"`
	State string  `json:"state"`
	Color string  `json:"color"`
	From  float64 `json:"from"`
	Until float64 `json:"until"`
}

// ChartBox is a row of a boxplot. A quartile that is infinite is null.
type ChartBox struct {
	Row      int         `json:"row"`
	Color    string      `json:"color"`
	N        int         `json:"n"`
	Low      *float64    `json:"low"`
	Q1       *float64    `json:"q1"`
	Median   *float64    `json:"median"`
	Q3       *float64    `json:"q3"`
	High     *float64    `json:"high"`
	Outliers Coordinates `json:"outliers,omitempty"` // values alone
}

// ChartCells are the cells of a heatmap between edges, row by row from below.
type ChartCells struct {
	Label   string     `json:"label"`
	Scale   ChartAxis  `json:"scale"`
	Columns []float64  `json:"columns"`
	Rows    []float64  `json:"rows"`
	Values  []*float64 `json:"values"`
	// Names are those of columns and rows, to tell a cell.
	ColumnNames []string       `json:"columnNames"`
	RowNames    []string       `json:"rowNames"`
	Palette     []string       `json:"palette"`
	Contours    []ChartContour `json:"contours,omitempty"`
}

// ChartContour is the line of a level.
type ChartContour struct {
	Level float64     `json:"level"`
	Line  Coordinates `json:"line"`
}

// Coordinates are numbers without more digits than can be seen.
type Coordinates []float64
