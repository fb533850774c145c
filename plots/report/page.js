// The page: figures, connections, the filter of the metrics, the theme.

const data = JSON.parse(document.getElementById('data').textContent);

for (const figure of document.querySelectorAll('figure.chart')) new Chart(figure, data.charts[Number(figure.dataset.chart)]);

const player = document.getElementById('player');
if (player && data.ladders.length) new Player(player, data.ladders, data.states);

// A table of many metrics shows those that matter first.
const table = document.getElementById('table');
if (table) {
  const filter = document.getElementById('filter'), all = document.getElementById('all'), shown = document.getElementById('shown');
  const rows = [...table.tBodies[0].rows], some = rows.some((r) => r.classList.contains('key')) && rows.length > 12;
  filter.closest('p').hidden = false;
  all.parentElement.hidden = !some;
  document.getElementById('total').textContent = rows.length;
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter((w) => w);
    let n = 0;
    for (const r of rows) {
      const text = r.textContent.toLowerCase();
      r.hidden = words.length ? !words.every((w) => text.includes(w)) : some && !all.checked && !r.classList.contains('key');
      if (!r.hidden) n++;
    }
    shown.textContent = n === rows.length ? '' : `${n} of ${rows.length} shown`;
  };
  filter.addEventListener('input', apply);
  all.addEventListener('change', apply);
  apply();
}

// The theme is that of the system until the button says otherwise. Pages from
// files may not be allowed to remember.
const button = document.getElementById('theme');
const remember = (act) => { try { return act(localStorage); } catch { return null; } };
const themes = ['system', 'light', 'dark'];
const setTheme = (name) => {
  if (name === 'system') delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = name;
  button.textContent = `Theme: ${name}`;
};
let theme = remember((s) => s.getItem('tcplab-theme')) || 'system';
if (!themes.includes(theme)) theme = 'system';
button.hidden = false;
button.addEventListener('click', () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  remember((s) => s.setItem('tcplab-theme', theme));
  setTheme(theme);
});
setTheme(theme);
