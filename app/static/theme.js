/* Runs before the page is drawn, so that nothing jumps: how this browser likes its text and its navigation. */
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    if (localStorage.getItem("huying:text") === "large") root.classList.add("large-text");
    if (localStorage.getItem("huying:side") === "folded") root.classList.add("side-folded");
  } catch {
    /* A browser that forbids storage keeps the standard size. */
  }
})();
