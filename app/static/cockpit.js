/* Draws the charts of the leaders' page from the figures that stand in the page; the table behind each has every number.
   Styles are set through the object model alone, since the policy of the page allows no others. */
(() => {
  const root = getComputedStyle(document.documentElement);
  const token = (name) => root.getPropertyValue(name).trim();
  const size = () => parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125;
  const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 4], [12, 4]];
  const SHAPES = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect"];
  const PRINTED = { width: 1000, height: 260 };

  const palette = () => [token("--blue-mark"), token("--amber-mark"), token("--green-mark"), token("--grey-mark"), "#7a4fa3", "#0f7c8a"];

  function axisOf(data, lying) {
    const text = { color: token("--ink-2"), fontSize: size() };
    const names = { type: "category", data: data.names, axisTick: { show: false }, axisLine: { lineStyle: { color: token("--line-strong") } }, axisLabel: { ...text, hideOverlap: true, width: lying ? 150 : undefined, overflow: "truncate" } };
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

  function optionsOf(data) {
    const lying = data.kind === "bar";
    const several = data.series.length > 1;
    return {
      animation: false,
      color: palette(),
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: size() },
      grid: { left: 8, right: 24, top: several ? 64 : 16, bottom: 8, containLabel: true },
      legend: several ? { top: 0, left: 0, type: "plain", textStyle: { color: token("--ink"), fontSize: size() } } : undefined,
      // Written into the canvas: a box of markup would need styles of its own.
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, valueFormatter: (value) => (value === null || value === undefined ? "—" : `${value}${data.unit && ` ${data.unit}`}`) },
      ...axisOf(data, lying),
      series: data.series.map((one, place) => seriesOf(data, one, place)),
    };
  }

  const charts = [...document.querySelectorAll("[data-chart]")].map((place) => {
    const data = JSON.parse(place.dataset.chart);
    if (data.kind === "bar") place.style.height = `${Math.max(8, data.names.length * 1.75 + 4)}rem`;
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(optionsOf(data));
    return { chart, data };
  });
  const redraw = () => charts.forEach(({ chart, data }) => { chart.resize({ width: "auto", height: "auto" }); chart.setOption(optionsOf(data), true); });
  window.addEventListener("resize", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  /* On paper: as wide as the sheet, and the folded tables open. */
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".panel-table:not([open])")];
    opened.forEach((one) => { one.open = true; });
    charts.forEach(({ chart, data }) => chart.resize({ width: PRINTED.width, height: data.kind === "bar" ? undefined : PRINTED.height }));
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((one) => { one.open = false; });
    redraw();
  });
})();
