package quantity_test

import (
	"fmt"

	"tcplab/scenarios/quantity"
)

func ExampleParseDuration() {
	d, err := quantity.ParseDuration("1500us")
	fmt.Println(d, err)
	_, err = quantity.ParseDuration("20 parsec")
	fmt.Println(err)
	// Output:
	// 1.5ms <nil>
	// "20 parsec": unknown unit "parsec" (have ns, us, ms, s, min, h, d)
}

func ExampleScan() {
	f, _, _ := quantity.Scan("30s, 120s)")
	fmt.Printf("%s is %g %s, %v\n", f.Text, f.Value, f.Dim.BaseUnit(), f.Dim)
	// Output: 30s is 30 s, a time
}
