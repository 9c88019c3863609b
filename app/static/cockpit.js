/* Draws the charts of the leaders' page from the figures that stand in the page; the table behind each has every number.
   Styles are set through the object model alone, since the policy of the page allows no others. */
(() => {
  const root = getComputedStyle(document.documentElement);
  const token = (name) => root.getPropertyValue(name).trim();
  const size = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125;
  const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 4], [12, 4]];
  const SHAPES = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect"];
  const NARROW = 600;
  const PRINTED = { width: 1000, height: 250, line: 16 };

  const palette = () => [token("--blue-mark"), token("--amber-mark"), token("--green-mark"), token("--grey-mark"), "#7a4fa3", "#0f7c8a"];

  /* Every department is named; months leave some out where there is no room. */
  function labels(data, lying) {
    if (lying) return { interval: 0, width: 130, overflow: "truncate" };
    return data.kind === "column" ? { interval: 0, rotate: 50 } : { hideOverlap: true };
  }

  function axisOf(data, lying) {
    const text = { color: token("--ink-2"), fontSize: size() };
    const names = { type: "category", data: data.names, axisTick: { show: false }, axisLine: { lineStyle: { color: token("--line-strong") } }, axisLabel: { ...text, ...labels(data, lying) } };
    const values = { type: "value", min: 0, max: data.unit === "%" ? 100 : undefined, minInterval: data.unit ? undefined : 1, axisLabel: { ...text, formatter: `{value}${data.unit && ` ${data.unit}`}` }, splitLine: { lineStyle: { color: token("--line") } } };
    return lying ? { xAxis: values, yAxis: { ...names, inverse: true } } : { xAxis: names, yAxis: values };
  }

  function seriesOf(data, one, place) {
    const line = data.kind === "line";
    const own = line
      ? { type: "line", symbol: SHAPES[place % SHAPES.length], symbolSize: 7, connectNulls: false, lineStyle: { width: 2, type: DASHES[place % DASHES.length] } }
      : { type: "bar", barMaxWidth: 18 };
    return { name: one.name, data: one.values, ...own };
  }

  const lies = (data, width) => data.kind === "bar" || (data.kind === "column" && width < NARROW);

  function optionsOf(data, width) {
    const lying = lies(data, width);
    const several = data.series.length > 1;
    return {
      animation: false,
      color: palette(),
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: size() },
      grid: { left: 8, right: 24, top: several ? (width < NARROW ? 88 : 40) : 16, bottom: 8, containLabel: true },
      legend: several ? { top: 0, left: 0, type: "plain", textStyle: { color: token("--ink"), fontSize: size() } } : undefined,
      // Written into the canvas: a box of markup would need styles of its own.
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, valueFormatter: (value) => (value === null || value === undefined ? "—" : `${value}${data.unit && ` ${data.unit}`}`) },
      ...axisOf(data, lying),
      series: data.series.map((one, place) => seriesOf(data, one, place)),
    };
  }

  /* Bars that lie need room for each name, however many there are. */
  function fit({ place, chart, data }, line, height, paper) {
    const width = paper ?? place.clientWidth;
    const lying = lies(data, width);
    place.style.height = lying ? `${data.names.length * data.series.length * line + data.names.length * 6 + 100}px` : height;
    chart.resize({ width: paper ?? "auto", height: "auto" });
    chart.setOption(optionsOf(data, width), true);
  }

  const charts = [...document.querySelectorAll("[data-chart]")].map((place) => ({
    place,
    data: JSON.parse(place.dataset.chart),
    chart: window.echarts.init(place, null, { renderer: "canvas" }),
  }));
  const redraw = () => charts.forEach((one) => fit(one, one.data.series.length > 1 ? 10 : 20, ""));
  redraw();
  /* Whatever changes the room: the window, the navigation folding, a style that came late. */
  let printing = false;
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (printing || Math.round(entry.contentRect.width) === width) return;
    width = Math.round(entry.contentRect.width);
    redraw();
  }).observe(document.querySelector(".cockpit"));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  /* On paper: as wide as the sheet, and the folded tables open. */
  let opened = [];
  window.addEventListener("beforeprint", () => {
    printing = true;
    opened = [...document.querySelectorAll(".panel-table:not([open])")];
    opened.forEach((one) => { one.open = true; });
    charts.forEach((one) => fit(one, PRINTED.line, `${PRINTED.height}px`, PRINTED.width));
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((one) => { one.open = false; });
    printing = false;
    redraw();
  });
})();
