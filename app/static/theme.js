/* Runs before the page is drawn, so that nothing jumps: how the person likes the text, or this browser where nobody has signed in; and its navigation. */
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = root.dataset.text;
    if (chosen) localStorage.setItem("huying:text", chosen);
    else if (localStorage.getItem("huying:text") === "large") root.classList.add("large-text");
    if (localStorage.getItem("huying:side") === "folded") root.classList.add("side-folded");
  } catch {
    /* A browser that forbids storage keeps the standard size. */
  }
})();
