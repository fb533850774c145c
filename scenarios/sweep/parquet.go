package sweep

import (
	"io"
	"math"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroup is how many rows of Parquet are in memory at once.
const rowGroup = 8192

// parquetTable writes results.parquet: the columns of results.csv in their order.
type parquetTable struct {
	out     *parquet.GenericWriter[any]
	columns []Column
	rows    []parquet.Row
	cells   []parquet.Value
}

// orderedGroup is a group whose fields keep their order; that of a parquet.Group
// is that of the names.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g *orderedGroup) Fields() []parquet.Field { return g.fields }
func (g *orderedGroup) GoType() reflect.Type    { return reflect.TypeFor[map[string]any]() }

func newParquetTable(w io.Writer, columns []Column) *parquetTable {
	g := &orderedGroup{Group: parquet.Group{}}
	for _, c := range columns {
		node := parquet.Optional(parquet.Leaf(parquet.DoubleType))
		switch {
		case c.Name == seedColumn && c.Role == "key":
			node = parquet.Uint(64)
		case c.Role == "key":
			node = parquet.Int(32)
		case c.Words:
			node = parquet.String()
		}
		g.Group[c.Name] = node
		g.fields = append(g.fields, parquet.Group{c.Name: node}.Fields()[0])
	}
	schema := parquet.NewSchema("results", g)
	units := []parquet.WriterOption{schema, parquet.CreatedBy("tcplab", "1", ""), parquet.Compression(&zstd.Codec{Concurrency: 1}),
		parquet.MaxRowsPerRowGroup(rowGroup)}
	for _, c := range columns {
		if c.Unit != "" {
			units = append(units, parquet.KeyValueMetadata("unit:"+c.Name, c.Unit))
		}
	}
	return &parquetTable{out: parquet.NewGenericWriter[any](w, units...), columns: columns}
}

// add writes a row: the keys, then texts and numbers of the other columns.
func (t *parquetTable) add(point, replication int, seed uint64, texts []string, params, metrics []float64) error {
	row := append(t.cells[:0], parquet.Int32Value(int32(point)).Level(0, 0, 0), parquet.Int32Value(int32(replication)).Level(0, 0, 1),
		parquet.Int64Value(int64(seed)).Level(0, 0, 2))
	for i, v := range params {
		if t.columns[len(row)].Words {
			row = append(row, parquet.ByteArrayValue([]byte(texts[i])).Level(0, 0, len(row)))
		} else {
			row = append(row, optional(v, len(row)))
		}
	}
	for _, v := range metrics {
		row = append(row, optional(v, len(row)))
	}
	t.cells = row
	t.rows = append(t.rows[:0], row)
	_, err := t.out.WriteRows(t.rows)
	return err
}

func optional(v float64, column int) parquet.Value {
	if math.IsNaN(v) {
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.DoubleValue(v).Level(0, 1, column)
}

func (t *parquetTable) close() error { return t.out.Close() }
