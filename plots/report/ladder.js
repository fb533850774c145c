// Connections in slow motion. A connection has a clock of its own: time is to
// scale while something happens, and pauses in which nothing is on its way are
// short.

const FLIGHT = 96, PAUSE = 52; // pixels of the usual time on the way, and of a pause

class Clock {
  constructor(ladder) {
    const times = [], busy = [];
    const flights = [];
    for (const p of ladder.passages) {
      const all = [p.sent, p.arrived, p.gone].filter((t) => t >= 0);
      times.push(...all);
      if (all.length) busy.push([Math.min(...all), Math.max(...all)]);
      if (p.sent >= 0 && p.arrived >= 0) flights.push(p.arrived - p.sent);
    }
    for (const e of ladder.ends) for (const s of e.states) times.push(s.at);
    for (const t of ladder.timers) times.push(t.from, t.until);
    times.push(0);
    this.instants = [...new Set(times)].sort((a, b) => a - b);
    flights.sort((a, b) => a - b);
    const last = this.instants[this.instants.length - 1];
    this.flight = Math.max(flights.length ? flights[flights.length >> 1] : last / 10, 1);
    busy.sort((a, b) => a[0] - b[0]);
    this.knots = [[0, 0]]; // [time, pixel]
    this.pauses = [];
    let until = 0, k = 0, y = 0, at = 0;
    for (const t of this.instants) {
      while (k < busy.length && busy[k][0] < t) until = Math.max(until, busy[k++][1]);
      const from = Math.max(until, at);
      if (t > until && t - from > 3 * this.flight) {
        if (from > at) { y += this.pixels(from - at); this.knots.push([from, y]); }
        y += PAUSE;
        this.pauses.push({ from, until: t });
      } else if (t > at) y += this.pixels(t - at);
      this.knots.push([t, y]);
      at = t;
    }
    this.length = y;
  }

  pixels(dt) { return (dt / this.flight) * FLIGHT; }

  convert(v, from, to) {
    let lo = 0, hi = this.knots.length - 1;
    if (v <= this.knots[0][from]) return this.knots[0][to];
    while (hi - lo > 1) {
      const mid = (lo + hi) >> 1;
      if (this.knots[mid][from] <= v) lo = mid; else hi = mid;
    }
    const a = this.knots[lo], b = this.knots[hi];
    if (b[from] === a[from]) return b[to];
    return a[to] + Math.min((v - a[from]) / (b[from] - a[from]), 1) * (b[to] - a[to]);
  }

  at(t) { return this.convert(t, 0, 1); }
  time(y) { return this.convert(y, 1, 0); }
}

function notation(p) {
  let s = `<SEQ=${p.seq}>`;
  if (p.ack >= 0) s += `<ACK=${p.ack}>`;
  return s + `<CTL=${p.flags}>` + (p.len ? `<DATA=${p.len}>` : '');
}

// brief is what fits on a packet.
function brief(p) {
  if (p.len) return (/SYN|FIN|RST/.test(p.flags) ? p.flags + ' ' : '') + `${p.len} B`;
  return p.flags === 'ACK' ? `ACK ${p.ack}` : p.flags;
}

const duration = (ns) => {
  for (const [size, unit] of [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']]) if (ns >= size) return digits(ns / size, 3) + ' ' + unit;
  return digits(ns, 3) + ' ns';
};

// passage names what a row of the data has.
const passage = ([from, sent, arrived, gone, flags, seq, ack, len, wnd, fate = '', sack = '', by = '', remark = '', again = false]) => ({ from, sent, arrived, gone, flags, seq, ack, len, wnd, fate, sack, by, remark, again });

class Ladder {
  constructor(data) {
    Object.assign(this, data, { passages: data.passages.map(passage) });
    this.clock = new Clock(this);
    const far = this.clock.flight;
    for (const p of this.passages) {
      p.begin = p.sent >= 0 ? p.sent : p.arrived - far;
      p.end = p.arrived >= 0 ? p.arrived : p.gone >= 0 ? p.gone : p.sent + far / 2;
      p.reach = p.arrived >= 0 ? 1 : p.fate === 'on its way' ? 0.5 : Math.min(Math.max((p.end - p.begin) / far, 0.2), 0.85);
      p.lost = p.fate === 'lost' || p.fate === 'dropped';
      p.answered = p.fate === 'answered'; // by a middlebox
      p.weight = Boolean(/SYN|FIN|RST/.test(p.flags) || p.lost || p.again || p.by);
    }
    this.events = this.listEvents();
  }

  name(k) { return this.ends[k].host || (k ? 'passive end' : 'active end'); }
  label(t) { return ((this.start + t) / 1e9).toFixed(6) + ' s'; }

  state(k, t) {
    let now = '';
    for (const s of this.ends[k].states) { if (s.at > t) break; now = s.state; }
    return now || (this.ends[k].states[0] || { state: 'CLOSED' }).state;
  }

  listEvents() {
    const out = [];
    for (const p of this.passages) {
      const remark = p.remark ? ` (${p.remark})` : '', sack = p.sack ? `<SACK=${p.sack}>` : '';
      if (p.sent >= 0) out.push({ at: p.sent, order: 1, text: `${this.name(p.from)} sends`, code: notation(p) + sack, remark });
      if (p.arrived >= 0) out.push({ at: p.arrived, order: 0, text: `${this.name(1 - p.from)} receives`, code: notation(p), remark: '' });
      if (p.gone >= 0) out.push({ at: p.gone, order: 2, text: p.fate, code: notation(p), remark, bad: p.lost });
    }
    this.ends.forEach((e, k) => e.states.forEach((s, i) => {
      if (i) out.push({ at: s.at, order: 0.5, text: `${this.name(k)}: ${e.states[i - 1].state} → ${s.state}`, code: '', remark: s.why && s.why !== 'segment' ? ` (${s.why})` : '', strong: true });
    }));
    for (const t of this.timers) out.push({ at: t.until, order: 0.2, text: `${this.name(t.end)}: ${t.label} expires`, code: '', remark: '' });
    return out.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  // variables of an end at an instant, by their names in RFC 9293.
  variables(k, t) {
    let una, nxt, rcv, window, offered, again = 0, newest = -1;
    for (const p of this.passages) {
      if (p.from === k) {
        if (p.sent < 0 || p.sent > t) continue;
        const end = p.seq + (p.len || 0) + (/SYN/.test(p.flags) ? 1 : 0) + (/FIN/.test(p.flags) ? 1 : 0);
        if (!/RST/.test(p.flags) && (nxt === undefined || end > nxt)) nxt = end;
        if (una === undefined) una = p.seq;
        if (p.ack >= 0) rcv = p.ack;
        offered = p.wnd;
        if (p.again) again++;
      } else if (p.arrived >= 0 && p.arrived <= t) {
        if (p.ack > (una === undefined ? -1 : una) && !/RST/.test(p.flags)) una = p.ack;
        if (p.arrived >= newest) { newest = p.arrived; window = p.wnd; }
      }
    }
    let sender = null;
    for (const s of this.ends[k].sender) { if (s[0] > t) break; sender = s; }
    const count = (v, unit) => (v === undefined ? '–' : digits(v, 12) + (unit ? ' ' + unit : ''));
    const rows = [['SND.UNA', count(una)], ['SND.NXT', count(nxt)], ['in flight', una === undefined || nxt === undefined ? '–' : count(Math.max(nxt - una, 0), 'B')],
      ['SND.WND', count(window, 'B')], ['RCV.NXT', count(rcv)], ['RCV.WND', count(offered, 'B')]];
    if (this.ends[k].sender.length) {
      rows.push(['cwnd', sender ? count(sender[1], 'seg') : '–'], ['ssthresh', sender && sender[2] >= 0 ? count(sender[2], 'seg') : sender ? '∞' : '–'],
        ['SRTT', sender && sender[4] ? duration(sender[4] * 1e3) : '–'], ['RTO', sender && sender[5] ? duration(sender[5] * 1e3) : '–']);
    }
    rows.push(['sent again', count(again)]);
    return rows;
  }
}

class Player {
  constructor(root, list, colors) {
    Object.assign(this, { root, colors, ladders: list.map((l) => new Ladder(l)), speed: 1, playing: false });
    this.build();
    this.choose(0);
    new ResizeObserver(() => {
      if (this.wire.clientWidth !== this.wireWidth || this.view.clientWidth !== this.viewWidth) this.show();
    }).observe(root);
  }

  build() {
    const button = (label, text, act, id) => node('button', { type: 'button', title: label, 'aria-label': label, onclick: act, id }, text);
    this.play = button('Play', '▶', () => this.toggle(), 'play');
    this.now = node('output', { class: 'now', id: 'now' });
    this.slider = node('input', { type: 'range', id: 'time', min: 0, max: 10000, value: 0, 'aria-label': 'Time', oninput: () => { this.pause(); this.seek((this.slider.value / 10000) * this.ladder.clock.length); } });
    const speeds = node('select', { 'aria-label': 'Speed', onchange: (e) => { this.speed = Number(e.target.value); } },
      ...[['0.25', '¼ ×'], ['0.5', '½ ×'], ['1', '1 ×'], ['2', '2 ×'], ['4', '4 ×'], ['16', '16 ×']].map(([v, label]) => node('option', { value: v, selected: v === '1' }, label)));
    const which = node('select', { 'aria-label': 'Connection', id: 'which', onchange: (e) => this.choose(Number(e.target.value)) },
      ...this.ladders.map((l, i) => node('option', { value: i }, `connection ${l.number}: ${l.name(0)} to ${l.name(1)}`)));
    this.cards = [0, 1].map(() => node('div', { class: 'end' }));
    this.wire = node('div', { class: 'wire' });
    this.view = node('div', { class: 'ladder' });
    this.listed = node('ol');
    this.note = node('p', { class: 'small' });
    this.spoken = node('p', { class: 'small', role: 'status', id: 'spoken' });
    this.root.append(
      node('div', { class: 'controls' }, this.ladders.length > 1 ? which : '', button('First event', '|◀◀', () => this.jump(0)), button('Event before', '|◀', () => this.step(-1), 'before'),
        this.play, button('Next event', '▶|', () => this.step(1), 'next'), button('Last event', '▶▶|', () => this.jump(Infinity)), speeds, this.now),
      this.slider, node('div', { class: 'stage' }, this.cards[0], this.wire, this.cards[1]), this.spoken,
      node('div', { class: 'below' }, this.view, node('div', { class: 'events' }, node('h3', {}, 'Events'), this.listed)), this.note);
    this.root.addEventListener('keydown', (e) => this.key(e));
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === 'SELECT') return;
    const act = { ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1), Home: () => this.jump(0), End: () => this.jump(Infinity),
      ' ': e.target.tagName === 'BUTTON' ? null : () => this.toggle() }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  choose(i) {
    this.pause();
    this.ladder = this.ladders[i];
    const l = this.ladder;
    this.note.textContent = l.leftOut ? `The first ${digits(l.kept, 9)} events are shown; ${digits(l.leftOut, 9)} more were left out.` : '';
    const first = l.passages.find((p) => p.sent >= 0);
    this.seek(first ? (l.clock.at(first.begin) + l.clock.at(first.end)) / 2 : 0);
  }

  seek(y) {
    this.y = Math.min(Math.max(y, 0), this.ladder.clock.length);
    this.t = this.ladder.clock.time(this.y);
    this.show();
  }

  jump(t) {
    this.pause();
    const all = this.ladder.clock.instants;
    this.land(all[t === 0 ? 0 : all.length - 1]);
  }

  step(direction) {
    this.pause();
    const all = this.ladder.clock.instants, t = this.t;
    const next = direction > 0 ? all.find((v) => v > t) : all.findLast((v) => v < t);
    if (next !== undefined) this.land(next);
  }

  // land is at an instant exactly: the way through pixels would round it.
  land(t) {
    this.t = t;
    this.y = this.ladder.clock.at(t);
    this.show();
    this.speak();
  }

  toggle() {
    if (this.playing) { this.pause(); return; }
    if (this.y >= this.ladder.clock.length) this.seek(0);
    this.playing = true;
    this.play.textContent = '❚❚';
    this.play.setAttribute('aria-label', 'Pause');
    let last;
    const frame = (now) => {
      if (!this.playing) return;
      if (last !== undefined) this.seek(this.y + ((now - last) / 1000) * FLIGHT * this.speed);
      last = now;
      if (this.y >= this.ladder.clock.length) { this.pause(); return; }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.play.textContent = '▶';
    this.play.setAttribute('aria-label', 'Play');
    this.speak();
  }

  onWay() { return this.ladder.passages.filter((p) => p.begin <= this.t && this.t < p.end); }

  speak() {
    const l = this.ladder, way = this.onWay();
    const text = way.length > 4 ? `${way.length} segments on their way` : way.length ? 'on the way: ' + way.map((p) => `${notation(p)} to ${l.name(1 - p.from)}`).join(', ') : 'nothing on its way';
    this.spoken.textContent = `${l.label(this.t)}: ${l.name(0)} ${l.state(0, this.t)}, ${l.name(1)} ${l.state(1, this.t)}; ${text}`;
  }

  show() {
    const l = this.ladder;
    this.slider.value = l.clock.length ? (this.y / l.clock.length) * 10000 : 0;
    this.slider.setAttribute('aria-valuetext', l.label(this.t));
    this.now.textContent = l.label(this.t);
    this.cards.forEach((card, k) => this.showEnd(card, k));
    this.showWire();
    this.showLadder();
    this.showEvents();
    if (!this.playing) this.speak();
  }

  showEnd(card, k) {
    const l = this.ladder, state = l.state(k, this.t), before = new Map(l.variables(k, this.t - 1));
    const dot = node('i');
    dot.style.background = this.colors[state] || 'transparent';
    const list = node('dl');
    for (const [name, value] of l.variables(k, this.t)) list.append(node('dt', {}, name), node('dd', { class: before.get(name) !== value ? 'fresh' : undefined }, value));
    card.replaceChildren(node('h3', {}, l.name(k), node('span', {}, k ? 'passive' : 'active')), node('div', { class: 'state', 'data-state': state }, dot, state), list);
  }

  // showWire draws what is on its way: from the active end above, to it below.
  showWire() {
    const width = this.wireWidth = Math.max(this.wire.clientWidth, 140), height = Math.max(this.wire.clientHeight, 120);
    const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    const lanes = [height * 0.34, height * 0.7], way = this.ladder.passages.filter((p) => p.begin <= this.t && (this.t < p.end || p.lost && this.t < p.end + this.ladder.clock.flight / 3));
    lanes.forEach((y, k) => {
      svg.append(shape('line', { class: 'grid', x1: 0, x2: width, y1: y, y2: y, 'stroke-width': 2 }));
      svg.append(shape('path', { d: k ? `M8 ${y - 5}L0 ${y}L8 ${y + 5}` : `M${width - 8} ${y - 5}L${width} ${y}L${width - 8} ${y + 5}`, fill: 'none', 'stroke-width': 2, class: 'grid' }));
    });
    const counts = [0, 1].map((k) => way.filter((p) => p.from === k && !(p.lost && this.t >= p.end)).length);
    counts.forEach((n, k) => svg.append(shape('text', { x: width / 2, y: k ? height - 4 : 14, 'font-size': 12, 'text-anchor': 'middle', class: 'dim' }, {}, n ? `${n} on the way ${k ? '←' : '→'}` : '')));
    for (const p of way) {
      const gone = p.lost && this.t >= p.end, part = Math.min((this.t - p.begin) / Math.max(p.end - p.begin, 1), 1) * p.reach;
      const x = p.from ? width * (1 - part) : width * part, y = lanes[p.from], color = gone || p.lost ? '#d55e00' : p.again ? '#d55e00' : p.len ? '#0072b2' : '#404040';
      const few = counts[p.from] <= 3, text = brief(p), w = few ? measureText(text, 12) + 12 : p.len ? 7 : 3;
      const at = Math.min(Math.max(x, w / 2), width - w / 2), g = shape('g', { class: 'packet', 'data-segment': notation(p) });
      if (gone) {
        g.append(markerShape('cross', color, 7, [at, y]));
        if (!way.some((q) => q !== p && q.from === p.from && q.lost && this.t >= q.end && q.end > p.end)) g.append(shape('text', { x: at, y: y - 12, 'font-size': 12, 'text-anchor': 'middle' }, {}, p.fate));
      } else {
        g.append(shape('rect', { x: at - w / 2, y: y - 11, width: w, height: 22, rx: few ? 5 : 1 }, { fill: few ? 'var(--bg)' : ink(color), stroke: ink(color), 'stroke-width': few ? '2' : '0' }));
        if (few) g.append(shape('text', { x: at, y: y + 4, 'font-size': 12, 'text-anchor': 'middle' }, {}, text));
      }
      svg.append(g);
    }
    this.wire.replaceChildren(svg);
  }

  showLadder() {
    const l = this.ladder, c = l.clock, width = this.viewWidth = Math.max(this.view.clientWidth, 240), wide = width >= 520;
    const height = Math.min(Math.max(c.length + 70, 160), 470), room = 30;
    const top = c.length + 2 * room <= height ? -room : Math.min(Math.max(this.y - height * 0.5, -room), c.length + room - height);
    const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Ladder of connection ${l.number}` });
    const y = (t) => c.at(t) - top, margin = wide ? 164 : 62, bars = [margin, width - (wide ? 112 : 16)], thick = 12;
    const seen = (a, b) => b >= -20 && a <= height + 20;
    const text = (s, x, py, anchor, extra, paint) => svg.appendChild(shape('text', { x: x.toFixed(1), y: py.toFixed(1), 'font-size': 11.5, 'text-anchor': anchor, ...extra }, { 'paint-order': 'stroke', stroke: 'var(--bg)', 'stroke-width': '3.5px', ...paint }, s));
    for (const p of c.pauses) {
      const a = y(p.from), b = y(p.until);
      if (!seen(a, b)) continue;
      svg.append(shape('rect', { class: 'band', x: bars[0] + thick, width: bars[1] - bars[0] - thick, y: (a + b) / 2 - 11, height: 22 }));
      text(`${duration(p.until - p.from)} later`, (bars[0] + bars[1] + thick) / 2, (a + b) / 2 + 4, 'middle', { class: 'dim' }, { stroke: 'none' });
    }
    this.arrows(svg, text, y, seen, [bars[0] + thick, bars[1]], wide);
    [0, 1].forEach((k) => this.drawStates(svg, text, y, k, bars[k], thick, height, wide));
    for (const t of wide ? l.timers : []) {
      const a = y(t.from), b = y(t.until);
      if (!seen(a, b)) continue;
      const x = t.end ? bars[1] + thick + 5 : bars[0] - 5, side = t.end ? 1 : -1;
      svg.append(shape('path', { d: `M${x} ${a}h${4 * side}V${b}h${-4 * side}`, fill: 'none', 'stroke-width': 1.4 }, { stroke: ink('#b34700') }));
      text(t.label, x + 8 * side, Math.min(Math.max((Math.max(a, 0) + Math.min(b, height)) / 2 + 4, 12), height - 4), t.end ? 'start' : 'end', {}, { fill: ink('#b34700') });
    }
    this.drawTimes(svg, y, height);
    const py = this.y - top;
    svg.append(shape('line', { x1: 0, x2: width, y1: py, y2: py, 'stroke-width': 1.5, class: 'playhead' }, { stroke: 'var(--link)' }));
    svg.addEventListener('click', (e) => {
      const box = svg.getBoundingClientRect();
      this.pause();
      this.seek(top + ((e.clientY - box.top) * height) / box.height);
    });
    this.view.replaceChildren(svg);
  }

  drawStates(svg, text, y, k, x, thick, height, wide) {
    const spans = this.ladder.ends[k].states;
    let last = -Infinity;
    spans.forEach((s, i) => {
      const from = i ? y(s.at) : -40, until = i + 1 < spans.length ? y(spans[i + 1].at) : height + 40;
      if (until < -1 || from > height + 1) return;
      svg.append(shape('rect', { x, width: thick, y: from, height: Math.max(until - from, 0.5), 'stroke-width': 0.7 }, { fill: this.colors[s.state] || 'none', stroke: 'var(--axis)' }));
      const at = Math.max(from + 12, 13, last + 13);
      if (at > height - 3 || wide && i + 1 < spans.length && at > until + 30) return;
      last = at;
      const left = (k === 0) === wide;
      text(s.state, left ? x - 5 : x + thick + 5, at, left ? 'end' : 'start', { 'font-weight': 600 });
    });
  }

  drawTimes(svg, y, height) {
    let last = -Infinity;
    for (const t of this.ladder.clock.instants) {
      const at = y(t);
      if (at < 4 || at > height || at - last < 14) continue;
      last = at;
      svg.append(shape('text', { x: 3, y: (at + 4).toFixed(1), 'font-size': 10.5, class: 'dim' }, {}, ((this.ladder.start + t) / 1e9).toFixed(6).slice(0, 10)));
    }
  }

  arrows(svg, text, y, seen, [left, right], wide) {
    const shown = this.ladder.passages.filter((p) => seen(y(p.begin), y(p.end)));
    const labels = [];
    for (const p of shown) {
      const from = p.from ? right : left, to = from + (p.from ? -1 : 1) * (right - left) * p.reach, a = y(p.begin), b = y(p.end);
      const color = p.lost || p.again ? '#d55e00' : p.len ? '#0072b2' : '#404040', start = p.sent >= 0 ? from : (from + to) / 2, begin = p.sent >= 0 ? a : (a + b) / 2;
      const d = Math.hypot(to - start, b - begin) || 1, ux = (to - start) / d, uy = (b - begin) / d;
      let path = `M${start.toFixed(1)} ${begin.toFixed(1)}L${to.toFixed(1)} ${b.toFixed(1)}`;
      if (!p.lost && !p.answered) path += `M${(to - 8 * ux - 4 * uy).toFixed(1)} ${(b - 8 * uy + 4 * ux).toFixed(1)}L${to.toFixed(1)} ${b.toFixed(1)}L${(to - 8 * ux + 4 * uy).toFixed(1)} ${(b - 8 * uy - 4 * ux).toFixed(1)}`;
      svg.append(shape('path', { d: path, fill: 'none', 'stroke-width': 1.5, ...(p.fate === 'on its way' ? { 'stroke-dasharray': '5 3' } : {}) }, { stroke: ink(color) }));
      if (p.lost) svg.append(markerShape('cross', color, 6, [to, b]));
      if (p.answered || p.by) svg.append(markerShape('open-square', '#404040', 6, p.by ? [start, begin] : [to, b]));
      if (p.begin <= this.t && this.t < p.end) {
        const part = (this.t - p.begin) / (p.end - p.begin);
        svg.append(shape('circle', { cx: (from + (to - from) * part).toFixed(1), cy: (a + (b - a) * part).toFixed(1), r: 5, 'stroke-width': 1.5 }, { fill: ink(color), stroke: 'var(--bg)' }));
      }
      labels.push({ p, x: (start + to) / 2, y: (begin + b) / 2 });
    }
    this.placeLabels(labels, text, left, right, wide);
  }

  // placeLabels names segments where there is room, the important ones first, and
  // of a crowd these alone.
  placeLabels(labels, text, left, right, wide) {
    const taken = [], room = right - left, crowd = labels.length > 60;
    for (const important of [true, false]) {
      for (const k of labels) {
        if (k.p.weight !== important || crowd && !important) continue;
        const s = (wide && measureText(notation(k.p), 11.5) < room * 0.8 ? notation(k.p) : brief(k.p)) + (k.p.remark && wide ? ` (${k.p.remark})` : '');
        const w = measureText(s, 11.5) / 2 + 3, x = Math.max(Math.min(k.x, right - w - 2), left + w + 2), box = [x - w, k.y - 16, x + w, k.y - 1];
        if (taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) continue;
        taken.push(box);
        text(s, x, k.y - 5, 'middle', {});
      }
    }
  }

  showEvents() {
    const all = this.ladder.events, count = this.view.clientWidth && window.innerWidth < 740 ? 5 : 9;
    let at = all.findLastIndex((e) => e.at <= this.t);
    const from = Math.max(Math.min(at - (count >> 1), all.length - count), 0);
    this.listed.replaceChildren(...all.slice(from, from + count).map((e, i) => {
      const current = at >= 0 && e.at === all[at].at;
      return node('li', { class: current ? 'at' : undefined, 'aria-current': current ? 'time' : undefined, onclick: () => { this.pause(); this.land(e.at); } },
        node('span', { class: 't' }, ((this.ladder.start + e.at) / 1e9).toFixed(6)), node('span', { class: e.bad ? 'bad' : undefined }, e.strong ? node('strong', {}, e.text) : e.text, ' ', e.code ? node('code', {}, e.code) : '', e.remark));
    }));
  }
}
