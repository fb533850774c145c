// Figures: a chart is drawn as SVG in the width that there is, and again when
// that changes.

const SVG = 'http://www.w3.org/2000/svg';

function node(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes || {})) {
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (v !== undefined && v !== false) e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children);
  return e;
}

// paint holds what is styled; the rest are attributes, for a style attribute in
// text is not allowed by the policy of the page.
function shape(name, attributes, paint, text) {
  const e = document.createElementNS(SVG, name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  for (const k in paint) e.style.setProperty(k, paint[k]);
  if (text !== undefined) e.textContent = text;
  return e;
}

// ink is a colour of the paper figures, which the style sheet knows in a lighter
// shade for dark pages.
const ink = (hex) => `var(--k${hex.slice(1)}, ${hex})`;

const dashes = (list, width) => (list ? { 'stroke-dasharray': list.map((v) => v * width).join(' ') } : {});

const measureText = (() => {
  const context = document.createElement('canvas').getContext('2d');
  return (text, size) => {
    context.font = `${size}px system-ui, "Liberation Sans", sans-serif`;
    return context.measureText(text).width;
  };
})();

const minus = (text) => text.replace(/-/g, '−');

// figures writes a number with so many digits that count.
function digits(v, n) {
  if (v === 0 || Object.is(v, -0)) return '0';
  const a = Math.abs(v);
  if (a >= 1e15 || a < 1e-9) return minus(v.toExponential(n - 1));
  return minus(v.toLocaleString('en', { maximumSignificantDigits: n }).replace(/,/g, '\u202f'));
}

const reading = (axis, v) => digits(v * axis.readFactor, 5) + (axis.readUnit ? ' ' + axis.readUnit : '');

// A scale maps values to pixels, linear or logarithmic.
function scale(lo, hi, log, from, to) {
  const f = log ? Math.log : (v) => v;
  const a = f(lo), b = f(hi) - a || 1;
  const s = (v) => from + ((f(v) - a) / b) * (to - from);
  s.back = (px) => {
    const v = a + ((px - from) / (to - from)) * b;
    return log ? Math.exp(v) : v;
  };
  return Object.assign(s, { lo, hi, log, from, to });
}

function linearTicks(lo, hi, most) {
  const raw = (hi - lo) / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999) || raw;
  const out = [], decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi + step * 1e-9; i++) {
    const v = i * step;
    out.push([v, minus(Math.abs(v) >= 1e6 ? digits(v, 4) : v.toFixed(Math.min(decimals, 12)))]);
  }
  return out;
}

const superscript = (n) => String(n).replace(/[-0-9]/g, (c) => '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'['0123456789-'.indexOf(c)]);

function logTicks(lo, hi, most, factors) {
  const first = Math.floor(Math.log10(lo)), last = Math.ceil(Math.log10(hi));
  const every = Math.max(1, Math.ceil((last - first) / Math.max(most, 2)));
  const out = [];
  for (let e = first; e <= last; e++) {
    for (const f of factors) {
      const v = f * 10 ** e;
      if (v < lo * 0.9999 || v > hi * 1.0001) continue;
      if ((e - first) % every === 0) out.push([v, e < -3 || e > 4 ? (f > 1 ? f + '·' : '') + '10' + superscript(e) : digits(v, 3)]);
    }
  }
  return out.length > 1 ? out : linearTicks(lo, hi, most);
}

function axisTicks(axis, s, most, fits) {
  if (axis.ticks) return thinOut(axis.ticks.filter((t) => t.v >= s.lo && t.v <= s.hi).map((t) => [t.v, t.label]), fits);
  const f = axis.factor;
  for (const factors of axis.log ? [[1, 2, 5], [1, 3], [1]] : [null]) {
    for (let n = most; n > 1; n--) {
      const list = (axis.log ? logTicks : linearTicks)(s.lo * f, s.hi * f, n, factors).map(([v, label]) => [v / f, label]);
      if (fits(list)) return list;
      if (axis.log && factors.length > 1) break;
    }
  }
  return [];
}

function thinOut(list, fits) {
  for (let every = 1; every < list.length; every++) {
    const some = list.filter((_, i) => i % every === 0);
    if (fits(some)) return some;
  }
  return list.slice(0, 1);
}

const markerPaths = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  triangle: (r) => `M0 ${-r * 1.2}L${r * 1.15} ${r}H${-r * 1.15}z`,
  'triangle-down': (r) => `M0 ${r * 1.2}L${r * 1.15} ${-r}H${-r * 1.15}z`,
  diamond: (r) => `M0 ${-r * 1.3}L${r * 1.3} 0L0 ${r * 1.3}L${-r * 1.3} 0z`,
  cross: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
};
markerPaths['open-circle'] = markerPaths.speck = markerPaths.circle;
markerPaths['open-square'] = markerPaths.square;

function markerShape(name, color, r, at) {
  const hollow = name.startsWith('hollow-'), open = hollow || name.startsWith('open') || name === 'cross';
  if (hollow) { name = name.slice(7); r *= 1.45; }
  const paint = open ? { fill: hollow || name === 'cross' ? 'none' : 'var(--bg)', stroke: ink(color) } : { fill: ink(color), stroke: 'var(--bg)' };
  return shape('path', { d: markerPaths[name](name === 'speck' ? r / 2.2 : r), transform: at ? `translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})` : '', 'stroke-width': open ? 1.6 : name === 'speck' ? 0 : 0.8 }, paint);
}

// keySample is what stands beside a name in a legend.
function keySample(k) {
  const s = shape('svg', { width: 26, height: 12, viewBox: '0 0 26 12', 'aria-hidden': 'true' });
  if (k.box) s.append(shape('rect', { x: 6, y: 1, width: 14, height: 10 }, { fill: ink(k.color), stroke: 'var(--axis)', 'stroke-width': '.7' }));
  if (k.line) s.append(shape('line', { x1: 1, x2: 25, y1: 6, y2: 6, 'stroke-width': 2, ...dashes(k.dashes, 1.6) }, { stroke: ink(k.color) }));
  if (k.stroke) s.append(shape('line', { x1: 13, x2: 13, y1: 1, y2: 11, 'stroke-width': 2.5 }, { stroke: ink(k.color) }));
  if (k.marker) s.append(markerShape(k.marker, k.color, 4, [13, 6]));
  return s;
}

// nearest is the index of the pair whose x is closest, in pairs ordered by x.
function nearest(pairs, x) {
  let lo = 0, hi = pairs.length / 2 - 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (pairs[2 * mid] < x) lo = mid + 1; else hi = mid;
  }
  if (lo > 0 && Math.abs(pairs[2 * lo - 2] - x) <= Math.abs(pairs[2 * lo] - x)) lo--;
  return lo;
}

// valueAt reads lines at x: [x, y], or null where there is nothing near.
function valueAt(lines, x) {
  let best = null;
  for (const l of lines || []) {
    if (!l.length) continue;
    if (x >= l[0] && x <= l[l.length - 2]) { const i = nearest(l, x); return [l[2 * i], l[2 * i + 1]]; }
    const end = x < l[0] ? 0 : l.length - 2;
    if (!best || Math.abs(l[end] - x) < Math.abs(best[0] - x)) best = [l[end], l[end + 1]];
  }
  return best;
}

const LETTERS = 12, ROW = 17;

class Chart {
  constructor(figure, chart) {
    Object.assign(this, { figure, chart, hidden: new Set(), lo: chart.x.lo, hi: chart.x.hi });
    this.canvas = node('div', { class: 'canvas' });
    this.tip = node('div', { class: 'tip', role: 'status', hidden: true });
    const tool = (label, text, act) => node('button', { type: 'button', title: label, 'aria-label': label, onclick: act }, text);
    const tools = node('div', { class: 'tools' },
      tool('Enlarge', '+', () => this.zoom(0.5)), tool('Reduce', '−', () => this.zoom(2)), tool('Show all', '⤢', () => this.range(chart.x.lo, chart.x.hi)));
    figure.append(node('div', { class: 'head' }, this.legend(), tools), this.canvas);
    this.canvas.append(this.tip);
    if (chart.points) figure.append(node('p', { class: 'small' }, `${digits(chart.kept, 9)} of ${digits(chart.points, 9)} points are drawn; extremes are kept, all are in the data.`));
    this.render();
    new ResizeObserver(() => {
      if (Math.abs(this.canvas.clientWidth - this.width) > 1) this.render();
    }).observe(this.canvas);
  }

  legend() {
    const box = node('div', { class: 'legend', role: 'group', 'aria-label': 'Legend' });
    const panels = this.chart.panels, keys = this.chart.keys || [], several = new Set(keys.map((k) => k.panel || 0)).size > 1;
    let last;
    for (const k of keys) {
      const panel = k.panel || 0;
      if (several && panel !== last) box.append(node('span', { class: 'remarkable' }, panels[panel].y.label.replace(/ \([^()]*\)$/, '') + ':'));
      last = panel;
      if (!k.color) { box.append(node('span', { class: 'remarkable' }, k.label)); continue; }
      const b = node('button', { type: 'button', 'aria-pressed': 'true' }, keySample(k), k.label);
      b.addEventListener('click', () => {
        const hide = !this.hidden.has(k.label);
        this.hidden[hide ? 'add' : 'delete'](k.label);
        b.setAttribute('aria-pressed', String(!hide));
        this.render();
      });
      box.append(b);
    }
    return box;
  }

  shown(curve) { return !curve.key || !this.hidden.has(curve.key); }

  range(lo, hi) {
    const x = this.chart.x;
    [this.lo, this.hi] = [Math.max(lo, x.lo), Math.min(hi, x.hi)];
    if (!(this.hi - this.lo > (x.hi - x.lo) * 1e-7)) [this.lo, this.hi] = [x.lo, x.hi];
    this.render();
  }

  // zoom changes the width of the range, around a pixel.
  zoom(factor, px) {
    const s = this.x, mid = px === undefined ? (s.from + s.to) / 2 : px;
    this.range(s.back(mid - (mid - s.from) * factor), s.back(mid + (s.to - mid) * factor));
  }

  zoomed() { return this.lo > this.chart.x.lo || this.hi < this.chart.x.hi; }

  // vertical is the range of a panel: of what is in view if a part is enlarged.
  vertical(p) {
    if (!this.zoomed() || p.rows || p.cells) return [p.y.lo, p.y.hi];
    let lo = Infinity, hi = -Infinity;
    const see = (v) => { lo = Math.min(lo, v); hi = Math.max(hi, v); };
    for (const c of p.curves || []) {
      if (!this.shown(c)) continue;
      for (const l of [...(c.lines || []), ...(c.lows || []), ...(c.highs || [])]) {
        for (let i = 0; i < l.length; i += 2) if (l[i] >= this.lo && l[i] <= this.hi) see(l[i + 1]);
      }
      for (let i = 0; i < (c.bars || []).length; i += 3) if (c.bars[i] >= this.lo && c.bars[i] <= this.hi) { see(c.bars[i + 1]); see(c.bars[i + 2]); }
      for (let i = 0; i < (c.dots || []).length; i += 2) if (c.dots[i] >= this.lo && c.dots[i] <= this.hi) see(c.dots[i + 1]);
    }
    if (!(hi > lo)) return [p.y.lo, p.y.hi];
    if (p.y.log) return [Math.max(lo / 1.1, p.y.lo), Math.min(hi * 1.1, p.y.hi)];
    const margin = (hi - lo) * 0.05;
    return [Math.max(lo - margin, p.y.lo), Math.min(hi + margin, p.y.hi)];
  }

  render() {
    const c = this.chart, width = this.width = Math.max(this.canvas.clientWidth || 640, 220);
    this.left = this.leftMargin();
    const right = c.panels.some((p) => p.cells) ? 64 : 14;
    this.x = scale(this.lo, this.hi, c.x.log, this.left, width - right);
    this.svg = shape('svg', { role: 'img', tabindex: '0', 'aria-label': this.describe() });
    let top = this.bandLabels() + 2;
    this.areas = [];
    for (const p of c.panels) {
      top += 24;
      const height = this.height(p);
      const [lo, hi] = this.vertical(p);
      this.areas.push({ p, top, bottom: top + height, y: scale(lo, hi, p.y.log, top + height, top) });
      top += height + 10;
    }
    this.areas.forEach((a, i) => this.drawPanel(a, i));
    this.drawX(top - 10);
    const height = top + 32;
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.append(this.cursor = shape('line', { class: 'cursor', y1: this.areas[0].top, y2: top - 10, visibility: 'hidden' }),
      this.chosen = shape('rect', { class: 'chosen', y: this.areas[0].top, height: top - 10 - this.areas[0].top, visibility: 'hidden' }));
    this.listen();
    const focused = this.canvas.contains(document.activeElement);
    this.canvas.querySelector(':scope > svg')?.remove();
    this.canvas.prepend(this.svg);
    if (focused) this.svg.focus({ preventScroll: true });
    this.tip.hidden = true;
  }

  height(p) {
    if (p.rows) return Math.min(Math.max(p.rows.length * (p.rows.some((r) => r) ? 22 : 1), 70), 700) || 300;
    if (p.cells) return 300;
    return this.chart.panels.length > 1 ? 150 : 260;
  }

  leftMargin() {
    let widest = 24;
    for (const p of this.chart.panels) {
      const labels = p.rows || axisTicks(p.y, scale(...this.vertical(p), p.y.log, 0, 1), 6, () => true).map((t) => t[1]);
      for (const l of labels) widest = Math.max(widest, measureText(l, LETTERS));
    }
    return Math.ceil(Math.min(widest, this.width * 0.34) + 10);
  }

  describe() {
    const c = this.chart;
    return `${c.title || c.name}: ${c.panels.map((p) => p.y.label).filter((l) => l).join('; ')} over ${c.x.label}`;
  }

  text(text, x, y, attributes) {
    return this.svg.appendChild(shape('text', { x: x.toFixed(1), y: y.toFixed(1), 'font-size': LETTERS, ...attributes }, {}, text));
  }

  // bandLabels writes the names of bands in as many rows as they need.
  bandLabels() {
    const ends = [], placed = [];
    for (const b of this.chart.bands || []) {
      const from = Math.max(this.x(Math.max(b.from, this.lo)), this.x.from), until = Math.min(this.x(Math.min(b.until, this.hi)), this.x.to);
      if (!(until > from)) continue;
      const w = measureText(b.label, LETTERS) + 8;
      const mid = Math.min(Math.max((from + until) / 2, this.x.from + w / 2), this.x.to - w / 2);
      let row = ends.findIndex((end) => mid - w / 2 >= end);
      if (row < 0) row = ends.push(0) - 1;
      ends[row] = mid + w / 2;
      placed.push([b.label, mid, row]);
    }
    for (const [label, mid, row] of placed) this.text(label, mid, 12 + row * 15, { 'text-anchor': 'middle', class: 'dim' });
    return ends.length * 15;
  }

  drawPanel(a, index) {
    const { p, top, bottom, y } = a, x = this.x, clip = `clip-${this.figure.dataset.chart}-${index}`;
    this.text(p.y.label, 0, top - 10, { 'font-weight': 600 });
    const clipping = shape('clipPath', { id: clip });
    clipping.append(shape('rect', { x: x.from - 1, y: top - 1, width: x.to - x.from + 2, height: bottom - top + 2 }));
    this.svg.append(clipping);
    const g = shape('g', { 'clip-path': `url(#${clip})` });
    this.svg.append(g);
    for (const b of this.chart.bands || []) {
      const from = Math.max(x(Math.max(b.from, this.lo)), x.from), until = Math.min(x(Math.min(b.until, this.hi)), x.to);
      if (until > from) g.append(shape('rect', { class: 'band', x: from, y: top, width: until - from, height: bottom - top }));
    }
    this.drawY(a, g);
    if (p.cells) this.drawCells(a, g);
    for (const s of p.spans || []) this.drawSpan(a, g, s);
    for (const b of p.boxes || []) this.drawBox(a, g, b);
    const curves = (p.curves || []).filter((c) => this.shown(c));
    for (const c of curves) this.drawShade(a, g, c);
    for (const l of p.limits || []) this.drawLimit(a, g, l);
    for (const c of curves) this.drawBars(a, g, c);
    for (const c of curves) this.drawLine(a, g, c);
    for (const c of curves) {
      for (let i = 0; i < (c.dots || []).length; i += 2) {
        if (c.dots[i] < this.lo || c.dots[i] > this.hi) continue;
        g.append(markerShape(c.marker || 'circle', c.color, 4, [x(c.dots[i]), y(c.dots[i + 1])]));
      }
    }
    this.svg.append(shape('path', { class: 'axis', d: `M${x.from} ${top}V${bottom}H${x.to}` }));
  }

  drawY(a, g) {
    const { p, top, bottom, y } = a;
    const rows = p.rows && p.rows.some((r) => r) ? p.rows.map((r, i) => [p.rows.length - 1 - i, r]) : null;
    if (p.rows && !rows) return;
    const apart = (list) => list.every((t, i) => i === 0 || Math.abs(y(t[0]) - y(list[i - 1][0])) >= LETTERS * 1.25);
    const ticks = rows || axisTicks(p.y, y, Math.max(2, Math.floor((bottom - top) / 34)), apart);
    for (const [v, label] of ticks) {
      const at = y(v);
      if (!rows && !p.cells) g.append(shape('line', { class: 'grid', x1: this.x.from, x2: this.x.to, y1: at, y2: at }));
      this.text(fit(label, this.left - 8), this.left - 6, at + LETTERS * 0.35, { 'text-anchor': 'end' });
    }
  }

  drawX(bottom) {
    const x = this.x, axis = this.chart.x;
    const apart = (list) => {
      let end = -Infinity;
      return list.every(([v, label]) => {
        const half = measureText(label, LETTERS) / 2, mid = x(v), ok = mid - half > end + 7;
        end = mid + half;
        return ok;
      });
    };
    for (const [v, label] of axisTicks(axis, x, 11, apart)) {
      const at = x(v), half = measureText(label, LETTERS) / 2;
      for (const a of this.areas) this.svg.append(shape('line', { class: 'axis', x1: at, x2: at, y1: a.bottom, y2: a.bottom + 4 }));
      this.text(label, Math.min(at, this.width - half - 1), bottom + 17, { 'text-anchor': 'middle' });
    }
    this.text(axis.label, (x.from + x.to) / 2, bottom + 36, { 'text-anchor': 'middle', 'font-weight': 600 });
  }

  drawLine(a, g, c) {
    let d = '';
    for (const l of c.lines || []) {
      if (l.length === 2) { g.append(shape('circle', { cx: this.x(l[0]), cy: a.y(l[1]), r: 2 }, { fill: ink(c.color) })); continue; }
      d += this.path(a, l, 'M');
    }
    if (d) g.append(shape('path', { d, fill: 'none', 'stroke-width': 1.7, 'stroke-linejoin': 'round', class: 'line', ...dashes(c.dashes, 1.4) }, { stroke: ink(c.color) }));
  }

  // path is a line with one point beyond each border of the range.
  path(a, l, start, backwards) {
    let from = 0, to = l.length - 2;
    if (this.zoomed()) {
      while (from + 2 < l.length && l[from + 2] < this.lo) from += 2;
      while (to > 2 && l[to - 2] > this.hi) to -= 2;
    }
    let d = '';
    for (let i = from; i <= to; i += 2) {
      const k = backwards ? to - (i - from) : i;
      d += (d ? 'L' : start) + this.x(l[k]).toFixed(2) + ' ' + a.y(l[k + 1]).toFixed(2);
    }
    return d;
  }

  drawShade(a, g, c) {
    const lows = c.lows || [], highs = c.highs || [];
    for (let i = 0; i < Math.min(lows.length, highs.length); i++) {
      const d = this.path(a, lows[i], 'M') + this.path(a, highs[i], 'L', true) + 'z';
      g.append(shape('path', { d, class: 'shade', 'stroke-width': 0.5 }, c.fill ? { fill: ink(c.fill), stroke: 'var(--axis)' } : { fill: ink(c.color), 'fill-opacity': '.25' }));
    }
  }

  drawBars(a, g, c) {
    let d = '';
    const bars = c.bars || [];
    for (let i = 0; i < bars.length; i += 3) {
      if (bars[i] < this.lo || bars[i] > this.hi) continue;
      const at = this.x(bars[i]);
      let low = a.y(bars[i + 1]), high = a.y(bars[i + 2]);
      if (!c.caps && low - high < 2) { low = (low + high) / 2 + 1; high = low - 2; }
      d += `M${at.toFixed(2)} ${low.toFixed(2)}V${high.toFixed(2)}`;
      if (c.caps) d += `M${(at - 4).toFixed(2)} ${low.toFixed(2)}h8M${(at - 4).toFixed(2)} ${high.toFixed(2)}h8`;
    }
    if (d) g.append(shape('path', { d, fill: 'none', 'stroke-width': c.caps ? 1.2 : 2 }, { stroke: ink(c.color) }));
  }

  drawLimit(a, g, l) {
    const at = a.y(l.v);
    g.append(shape('line', { class: 'limit', x1: this.x.from, x2: this.x.to, y1: at, y2: at }));
    if (l.label) g.append(shape('text', { x: this.x.to - 4, y: at - 4 - LETTERS < a.top ? at + LETTERS + 2 : at - 4, 'font-size': LETTERS, 'text-anchor': 'end', class: 'dim' }, {}, l.label));
  }

  drawSpan(a, g, s) {
    if (this.hidden.has(s.state) || s.until < this.lo || s.from > this.hi) return;
    const rows = a.p.rows.length, each = (a.bottom - a.top) / rows, named = a.p.rows.some((r) => r);
    const from = this.x(Math.max(s.from, this.lo)), until = this.x(Math.min(s.until, this.hi));
    const h = named ? each * 0.7 : each + 0.4;
    g.append(shape('rect', { x: from.toFixed(2), width: Math.max(until - from, 0.8).toFixed(2), y: (a.y(s.row) - h / 2).toFixed(2), height: h.toFixed(2), 'stroke-width': named ? 0.7 : 0 },
      { fill: ink(s.color), stroke: 'var(--axis)' }));
  }

  drawBox(a, g, b) {
    const y = a.y(b.row), h = 9, at = (v) => Math.min(Math.max(v === null ? this.x.to : this.x(v), this.x.from), this.x.to);
    const paint = { stroke: ink(b.color) };
    const line = (x1, y1, x2, y2, w) => g.append(shape('line', { x1, y1, x2, y2, 'stroke-width': w }, paint));
    line(at(b.low), y, at(b.q1), y, 1.5); line(at(b.q3), y, at(b.high), y, 1.5);
    line(at(b.low), y - h / 2, at(b.low), y + h / 2, 1.5);
    if (b.high !== null) line(at(b.high), y - h / 2, at(b.high), y + h / 2, 1.5);
    g.append(shape('rect', { x: at(b.q1), y: y - h, width: Math.max(at(b.q3) - at(b.q1), 1), height: 2 * h, 'stroke-width': 1.5 }, { ...paint, fill: ink(b.color), 'fill-opacity': '.25' }));
    if (b.median !== null) line(at(b.median), y - h, at(b.median), y + h, 3);
    for (const v of b.outliers || []) g.append(shape('circle', { cx: this.x(v), cy: y, r: 1.6 }, { fill: ink(b.color) }));
  }

  cellColor(cells, v) {
    const s = cells.scale;
    const part = s.log ? Math.log(v / s.lo) / Math.log(s.hi / s.lo) : (v - s.lo) / (s.hi - s.lo);
    return cells.palette[Math.round(Math.min(Math.max(part, 0), 1) * (cells.palette.length - 1))];
  }

  drawCells(a, g) {
    const cells = a.p.cells, columns = cells.columns.length - 1;
    const cellsGroup = shape('g', { 'shape-rendering': 'crispEdges' });
    cells.values.forEach((v, i) => {
      const col = i % columns, row = Math.floor(i / columns);
      if (v === null || cells.columns[col + 1] < this.lo || cells.columns[col] > this.hi) return;
      const x0 = this.x(cells.columns[col]), x1 = this.x(cells.columns[col + 1]), y0 = a.y(cells.rows[row]), y1 = a.y(cells.rows[row + 1]);
      cellsGroup.append(shape('rect', { x: x0, y: y1, width: x1 - x0 + 0.3, height: y0 - y1 + 0.3 }, { fill: this.cellColor(cells, v) }));
    });
    g.append(cellsGroup);
    const norm = scale(cells.scale.lo, cells.scale.hi, cells.scale.log, 0, 1);
    for (const k of cells.contours || []) {
      g.append(shape('path', { d: this.path(a, k.line, 'M'), fill: 'none', 'stroke-width': 1.2 }, { stroke: norm(k.level) < 0.5 ? '#fff' : '#404040' }));
    }
    // The colours and their values, to the right.
    const left = this.x.to + 10, bar = scale(cells.scale.lo, cells.scale.hi, cells.scale.log, a.bottom, a.top), n = cells.palette.length;
    cells.palette.forEach((color, i) => {
      const h = (a.bottom - a.top) / n;
      this.svg.append(shape('rect', { x: left, width: 12, y: a.bottom - (i + 1) * h, height: h + 0.4 }, { fill: color }));
    });
    for (const [v, label] of axisTicks(cells.scale, bar, 6, () => true)) {
      this.text(label, left + 16, Math.max(bar(v) + LETTERS * 0.35, a.top + LETTERS * 0.85), {});
    }
    this.text(cells.label, this.width - 1, a.top - 10, { 'text-anchor': 'end', 'font-weight': 600 });
  }

  listen() {
    const svg = this.svg;
    const place = (e) => {
      const box = svg.getBoundingClientRect(), k = this.width / box.width;
      return [(e.clientX - box.left) * k, (e.clientY - box.top) * k];
    };
    svg.addEventListener('pointermove', (e) => {
      const [px, py] = place(e);
      if (this.drag !== undefined) this.select(this.drag, px);
      this.read(px, py);
    });
    svg.addEventListener('pointerdown', (e) => {
      const [px, py] = place(e);
      if (e.pointerType === 'mouse' && e.button === 0) { this.drag = px; svg.setPointerCapture(e.pointerId); }
      this.read(px, py);
    });
    svg.addEventListener('pointerup', (e) => {
      const from = this.drag, [to] = place(e);
      this.drag = undefined;
      if (from !== undefined && Math.abs(from - to) > 5) this.range(this.x.back(Math.max(Math.min(from, to), this.x.from)), this.x.back(Math.min(Math.max(from, to), this.x.to)));
      else this.chosen.setAttribute('visibility', 'hidden');
    });
    svg.addEventListener('pointerleave', () => { if (this.drag === undefined) this.unread(); });
    svg.addEventListener('dblclick', () => this.range(this.chart.x.lo, this.chart.x.hi));
    svg.addEventListener('wheel', (e) => {
      if (!e.ctrlKey) return;
      e.preventDefault();
      this.zoom(e.deltaY > 0 ? 1.25 : 0.8, place(e)[0]);
    }, { passive: false });
    svg.addEventListener('blur', () => this.unread());
    svg.addEventListener('keydown', (e) => {
      const step = (this.x.to - this.x.from) / (e.shiftKey ? 400 : 60);
      const at = this.at === undefined ? this.x.from : this.at;
      const act = {
        ArrowRight: () => this.read(Math.min(at + step, this.x.to)), ArrowLeft: () => this.read(Math.max(at - step, this.x.from)),
        Home: () => this.read(this.x.from), End: () => this.read(this.x.to),
        '+': () => this.zoom(0.5, this.at), '-': () => this.zoom(2, this.at), 0: () => this.range(this.chart.x.lo, this.chart.x.hi), Escape: () => this.unread(),
      }[e.key];
      if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      act();
    });
  }

  select(from, to) {
    const a = Math.max(Math.min(from, to), this.x.from), b = Math.min(Math.max(from, to), this.x.to);
    for (const [k, v] of [['x', a], ['width', Math.max(b - a, 0)], ['visibility', 'visible']]) this.chosen.setAttribute(k, v);
  }

  unread() {
    this.at = undefined;
    this.tip.hidden = true;
    this.cursor.setAttribute('visibility', 'hidden');
  }

  // read shows the values at a place; without a height those of all panels.
  read(px, py) {
    if (px < this.x.from - 2 || px > this.x.to + 2) { this.unread(); return; }
    this.at = px;
    const x = this.x.back(Math.min(Math.max(px, this.x.from), this.x.to));
    const inside = this.areas.find((a) => py >= a.top - 4 && py <= a.bottom + 4);
    const rows = [];
    let at = x;
    for (const a of this.areas) {
      const found = this.readPanel(a, x, px, a === inside ? py : undefined);
      rows.push(...found.rows);
      if (found.x !== undefined) at = found.x;
    }
    const axis = this.chart.x, word = axis.ticks && axis.ticks.find((t) => Math.abs(t.v - at) < 1e-9 * Math.abs(at) || t.v === Math.round(at) && axis.lo === -0.5);
    const name = axis.label.replace(/ \([^()]*\)$/, '');
    this.tip.replaceChildren(node('b', {}, `${name} ${word ? word.label : reading(axis, at)}`),
      ...rows.slice(0, 14).map((r) => {
        const i = node('i');
        i.style.background = ink(r.color);
        return node('div', {}, i, node('span', {}, `${r.label ? r.label + ': ' : ''}${r.text}`));
      }));
    this.tip.hidden = false;
    this.cursor.setAttribute('visibility', 'visible');
    for (const k of ['x1', 'x2']) this.cursor.setAttribute(k, this.x(Math.min(Math.max(at, this.lo), this.hi)));
    const box = this.canvas.clientWidth, k = box / this.width, w = this.tip.offsetWidth, left = px * k + 14;
    this.tip.style.left = Math.max(0, left + w > box ? px * k - w - 14 : left) + 'px';
    this.tip.style.top = (py === undefined ? this.areas[0].top : Math.max(py * k - this.tip.offsetHeight - 10, 0)) + 'px';
  }

  readPanel(a, x, px, py) {
    const p = a.p, rows = [];
    if (p.cells) {
      const c = p.cells, columns = c.columns.length - 1;
      const col = c.columns.findIndex((v, i) => i < columns && x >= v && x <= c.columns[i + 1]);
      const y = a.y.back(py === undefined ? (a.top + a.bottom) / 2 : py), row = c.rows.findIndex((v, i) => i < c.rows.length - 1 && y >= v && y <= c.rows[i + 1]);
      const v = col >= 0 && row >= 0 ? c.values[row * columns + col] : null;
      if (col >= 0 && row >= 0) {
        rows.push({ color: v === null ? '#ffffff' : this.cellColor(c, v), label: c.label.replace(/ \([^()]*\)$/, ''), text: `${v === null ? 'no value' : reading(c.scale, v)} at ${c.columnNames[col]}, ${c.rowNames[row]}` });
      }
      return { rows };
    }
    if (p.spans || p.boxes) {
      const row = py === undefined ? -1 : Math.round(a.y.back(py));
      for (const s of p.spans || []) {
        if ((py === undefined ? rows.length < 8 : s.row === row) && x >= s.from && x <= s.until) rows.push({ color: s.color, label: s.name, text: `${s.state} from ${reading(this.chart.x, s.from)} to ${reading(this.chart.x, s.until)}` });
      }
      const say = (v) => (v === null ? '∞' : reading(this.chart.x, v));
      for (const b of p.boxes || []) {
        if (py === undefined || b.row === row) rows.push({ color: b.color, label: p.rows[p.rows.length - 1 - b.row], text: `median ${say(b.median)}, quartiles ${say(b.q1)} and ${say(b.q3)}, whiskers ${say(b.low)} and ${say(b.high)}, n = ${b.n}` });
      }
      return { rows };
    }
    let at;
    for (const c of p.curves || []) {
      if (!this.shown(c)) continue;
      const r = this.readCurve(a, c, x, px, py);
      if (!r) continue;
      rows.push({ color: c.fill || c.color, label: c.label || p.y.label, text: r.text });
      if (r.x !== undefined && (at === undefined || Math.abs(r.x - x) < Math.abs(at - x))) at = r.x;
    }
    return { rows, x: at };
  }

  readCurve(a, c, x, px, py) {
    const axis = a.p.y;
    if (c.dots && c.dots.length && c.caps) {
      const i = nearest(c.dots, x), j = (c.bars || []).findIndex((v, k) => k % 3 === 0 && v === c.dots[2 * i]);
      const ci = j >= 0 ? ` (${digits(c.bars[j + 1] * axis.readFactor, 4)} to ${digits(c.bars[j + 2] * axis.readFactor, 4)})` : '';
      return { x: c.dots[2 * i], text: reading(axis, c.dots[2 * i + 1]) + ci };
    }
    if (c.lines && c.lines.length) {
      const v = valueAt(c.lines, x);
      if (!v || Math.abs(this.x(v[0]) - px) > 40 && c.lines.length > 1) return null;
      const low = c.lows && c.lows.length ? valueAt(c.lows, x) : null, high = c.highs && c.highs.length ? valueAt(c.highs, x) : null;
      const ci = low && high && low[1] !== 0 && !c.fill ? ` (${digits(low[1] * axis.readFactor, 4)} to ${digits(high[1] * axis.readFactor, 4)})` : '';
      return { text: reading(axis, v[1]) + ci };
    }
    if (c.lows && c.highs) {
      const low = valueAt(c.lows, x), high = valueAt(c.highs, x);
      return low && high ? { text: reading(axis, high[1] - low[1]) } : null;
    }
    return this.readStroke(a, c, px, py);
  }

  // readStroke finds the stroke or the marker under the pointer.
  readStroke(a, c, px, py) {
    let best = null, distance = 9;
    const bars = c.bars || [], dots = bars.length ? [] : c.dots || [];
    const consider = (d, found) => { if (d < distance) { distance = d; best = found; } };
    for (let i = 0; i < bars.length; i += 3) {
      const dx = Math.abs(this.x(bars[i]) - px);
      if (dx >= 9) continue;
      const low = a.y(bars[i + 1]), high = a.y(bars[i + 2]);
      const dy = py === undefined ? 0 : Math.max(high - py, py - low, 0);
      consider(Math.hypot(dx, dy), { x: bars[i], text: `${digits(bars[i + 1], 12)} to ${digits(bars[i + 2], 12)} at ${reading(this.chart.x, bars[i])}` });
    }
    for (let i = 0; i < dots.length; i += 2) {
      consider(Math.hypot(this.x(dots[i]) - px, py === undefined ? 0 : a.y(dots[i + 1]) - py), { x: dots[i], text: `${reading(a.p.y, dots[i + 1])} at ${reading(this.chart.x, dots[i])}` });
    }
    if (best && bars.length > 3 && bars.every((v, i) => i % 3 === 0 || v === bars[i % 3])) best.text = reading(this.chart.x, best.x);
    return best;
  }
}

// fit shortens a text that is too wide.
function fit(text, room) {
  if (measureText(text, LETTERS) <= room) return text;
  while (text.length > 1 && measureText(text + '…', LETTERS) > room) text = text.slice(0, -1);
  return text + '…';
}
