package plots

import (
	"image/color"
	"math"
)

// colormap is a perceptually uniform map from dark blue over grey to yellow, in
// 256 steps: a straight line in Oklab (Björn Ottosson, 2020), so that equal
// differences look equal. Its lightness rises all along, and blue against yellow
// is what all common kinds of colour blindness tell apart, as cividis does
// (Nuñez, Anderton, Renslow, PLoS ONE 13(7), 2018).
var colormap = func() (m [256]color.NRGBA) {
	from, to := [3]float64{0.27, -0.012, -0.085}, [3]float64{0.94, -0.03, 0.145}
	for i := range m {
		t := float64(i) / 255
		var lab [3]float64
		for k := range lab {
			lab[k] = from[k] + float64(t*(to[k]-from[k]))
		}
		m[i] = oklab(lab)
	}
	return m
}()

// oklab turns lightness and the two opponent axes of Oklab into sRGB.
func oklab(lab [3]float64) color.NRGBA {
	L, a, b := lab[0], lab[1], lab[2]
	l := cube(L + float64(0.3963377774*a) + float64(0.2158037573*b))
	m := cube(L - float64(0.1055613458*a) - float64(0.0638541728*b))
	s := cube(L - float64(0.0894841775*a) - float64(1.2914855480*b))
	return color.NRGBA{
		R: gamma(float64(4.0767416621*l) - float64(3.3077115913*m) + float64(0.2309699292*s)),
		G: gamma(float64(-1.2684380046*l) + float64(2.6097574011*m) - float64(0.3413193965*s)),
		B: gamma(float64(-0.0041960863*l) - float64(0.7034186147*m) + float64(1.7076147010*s)),
		A: 0xFF,
	}
}

// gamma encodes a linear part of light (IEC 61966-2-1).
func gamma(v float64) uint8 {
	v = math.Min(math.Max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(v * 255))
}

// missing is the colour of a cell without a value.
var missing = rgb(0xFFFFFF)

// palette is the colour map, with that of missing cells at the end: 256 colours
// in all.
var palette = func() color.Palette {
	var p color.Palette
	for _, c := range colormap[:255] {
		p = append(p, c)
	}
	return append(p, missing)
}()

// colorIndex is the place of a value from 0 to 1 in the palette.
func colorIndex(v float64) uint8 {
	if math.IsNaN(v) {
		return 255
	}
	return uint8(math.Round(math.Min(math.Max(v, 0), 1) * 254))
}
