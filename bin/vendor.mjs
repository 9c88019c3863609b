// Copies the browser components named in package.json into app/static/vendor (ignored by git), and builds one SVG sprite of the icons
// listed in app/static/icons.json. Run by `npm run vendor` after `npm ci`; running it again gives the same files.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const vendor = join(root, "app", "static", "vendor");

/** [file in node_modules, name in app/static/vendor] */
const files = [
  ["@tabler/core/dist/css/tabler.min.css", "tabler.min.css"],
  ["tom-select/dist/js/tom-select.popular.min.js", "tom-select.min.js"],
  ["tom-select/dist/css/tom-select.min.css", "tom-select.min.css"],
  ["echarts/dist/echarts.common.min.js", "echarts.min.js"],
  ["flatpickr/dist/flatpickr.min.js", "flatpickr.min.js"],
  ["flatpickr/dist/flatpickr.min.css", "flatpickr.min.css"],
  ["flatpickr/dist/l10n/zh.js", "flatpickr-zh.js"],
  ["flatpickr/dist/l10n/zh-tw.js", "flatpickr-zh-tw.js"],
];

/** Drops the pointer to a source map: the maps are not copied, and a browser's tools would report them missing. */
function withoutSourceMap(text) {
  return text.replace(/\/[/*][#@] sourceMappingURL=\S+( \*\/)?\s*$/, "");
}

async function symbol(name) {
  let svg;
  try {
    svg = await readFile(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
  } catch {
    throw new Error(`app/static/icons.json names the icon "${name}", which @tabler/icons does not have`);
  }
  const shapes = svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/\s+/g, " ")
    .trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
}

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor, { recursive: true });
for (const [from, to] of files) {
  await writeFile(join(vendor, to), withoutSourceMap(await readFile(join(modules, from), "utf8")));
}
const names = JSON.parse(await readFile(join(root, "app", "static", "icons.json"), "utf8"));
const symbols = await Promise.all([...new Set(names)].sort().map(symbol));
await writeFile(join(vendor, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
console.log(`${files.length} files and ${symbols.length} icons copied to app/static/vendor`);
