// Builds the style sheets and scripts into platform/regulars/web/static/dist, with content hashes in the file names,
// manifest.json (logical name -> file name) and icons.json (Lucide name -> inner SVG, inlined by the templates).
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import subsetFont from "subset-font";

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const target = path.join(here, "../regulars/web/static/dist");
const staging = `${target}.new`;
const work = path.join(here, "node_modules/.cache/regulars");

// Families that themes may choose; a page loads only those of its look. The same keys as FONTS of kernel/templating/brand.py.
const FONTS = ["bodoni-moda", "bricolage", "dm-sans", "fraunces", "nunito", "syne"];
const STYLES = ["app", ...FONTS.map((family) => `font-${family}`)];
const SCRIPTS = ["theme", "app", "pinpad", "terminal", "settings", "charts", "scanner"];
const IMAGES = ["favicon.svg"];

function tailwind(name) {
  const cli = path.join(path.dirname(require.resolve("@tailwindcss/cli/package.json")), "dist/index.mjs");
  const output = path.join(work, `${name}.css`);
  const run = spawnSync(process.execPath, [cli, "-i", name === "app" ? "src/app.css" : `src/fonts/${name}.css`, "-o", output], { cwd: here, encoding: "utf8" });
  if (run.status !== 0) {
    throw new Error(`Tailwind failed for ${name}.css:\n${run.stdout}${run.stderr}`);
  }
  // A font that comes late waits for the next page: nothing moves while somebody reads.
  writeFileSync(output, readFileSync(output, "utf8").replace(/font-display:\s*swap/g, "font-display: optional"));
  return output;
}

// A customer's first page has to be light: fonts keep the letters of European languages and the weights that we use.
// Inter is for texts, of weights 400 to 700; all other families are for headings, of one weight that suits their themes.
const TEXT = "inter";
const TEXT_WEIGHTS = { min: 400, max: 700 };
const HEADING_WEIGHTS = { "bodoni-moda": 500, fraunces: 600, syne: { min: 500, max: 650 } };
const HEADING_WEIGHT = 650;
const LETTERS = characters([0x20, 0x7e], [0xa0, 0x17f], [0x218, 0x21b], [0x2010, 0x203a], [0x20a0, 0x20bf], [0x2122, 0x2122],
  [0x2190, 0x2193], [0x2212, 0x2212]);
const EVERYTHING = characters([0x20, 0x7e], [0xa0, 0x2fff]);

function characters(...ranges) {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, number) => String.fromCodePoint(first + number)))
    .join("");
}

// The key of a file's family: the package may be named longer.
function familyOf(name) {
  return [TEXT, ...FONTS].find((key) => name.startsWith(`${key}-`));
}

async function lightFont(file) {
  const name = path.basename(file, ".woff2");
  const original = await readFile(file);
  const family = familyOf(name);
  const wght = family === TEXT ? TEXT_WEIGHTS : (HEADING_WEIGHTS[family] ?? HEADING_WEIGHT);
  const letters = /-latin(-ext)?-/.test(name) ? LETTERS : EVERYTHING;
  const rule = createHash("sha256").update(original).update(JSON.stringify([wght, letters])).digest("hex").slice(0, 16);
  const kept = path.join(work, `${name}.${rule}.woff2`);
  try {
    return await readFile(kept);
  } catch {
    const light = await subsetFont(original, letters, { targetFormat: "woff2", variationAxes: { wght } });
    await writeFile(kept, light);
    return light;
  }
}

// Tailwind inlines the font packages' style sheets but leaves their relative addresses: ./files/<family>-<subset>.woff2.
const fontFiles = {
  name: "font-files",
  setup(build) {
    const fonts = path.join(here, "node_modules/@fontsource-variable");
    build.onResolve({ filter: /^\.\/files\/.*\.woff2$/ }, async ({ path: address }) => {
      const family = (await readdir(fonts)).find((name) => path.basename(address).startsWith(`${name}-`));
      return family ? { path: path.join(fonts, family, address) } : undefined;
    });
    build.onLoad({ filter: /\.woff2$/ }, async ({ path: file }) => ({ contents: await lightFont(file), loader: "file" }));
  },
};

async function bundle(entryPoints) {
  const result = await esbuild.build({
    entryPoints,
    outdir: staging,
    bundle: true,
    minify: true,
    metafile: true,
    format: "iife",
    target: ["es2022", "chrome111", "firefox114", "safari16.4"],
    entryNames: "[name].[hash]",
    assetNames: "[name].[hash]",
    loader: { ".woff2": "file", ".wasm": "file" },
    plugins: [fontFiles],
    legalComments: "none",
    logLevel: "warning",
  });
  const manifest = {};
  for (const [file, output] of Object.entries(result.metafile.outputs)) {
    if (output.entryPoint) {
      const logical = path.basename(output.entryPoint).replace(/\.ts$/, ".js");
      manifest[logical] = path.basename(file);
    }
    if (/-latin-wght-normal\.[^.]+\.woff2$/.test(file)) { // pages ask for these ahead
      manifest[`font-${familyOf(path.basename(file))}.woff2`] = path.basename(file);
    }
  }
  return manifest;
}

async function images() {
  const manifest = {};
  for (const name of IMAGES) {
    const content = await readFile(path.join(here, "src", name));
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
    const { name: stem, ext } = path.parse(name);
    manifest[name] = `${stem}.${hash}${ext}`;
    await writeFile(path.join(staging, manifest[name]), content);
  }
  return manifest;
}

async function icons() {
  const folder = path.join(path.dirname(require.resolve("lucide-static/package.json")), "icons");
  const result = {};
  for (const file of (await readdir(folder)).sort()) {
    if (file.endsWith(".svg")) {
      const svg = await readFile(path.join(folder, file), "utf8");
      const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
      result[file.slice(0, -4)] = inner.replace(/\s*\n\s*/g, "").replaceAll(" />", "/>");
    }
  }
  return result;
}

async function licences() {
  const { dependencies } = JSON.parse(await readFile(path.join(here, "package.json"), "utf8"));
  const parts = [];
  for (const name of Object.keys(dependencies).sort()) {
    const folder = path.join(here, "node_modules", name);
    const licence = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    if (licence) {
      parts.push(`${name}\n\n${await readFile(path.join(folder, licence), "utf8")}`);
    }
  }
  return parts.join("\n\n----\n\n");
}

await rm(staging, { recursive: true, force: true });
await mkdir(staging, { recursive: true });
const styles = STYLES.map(tailwind);
const entryPoints = [...styles, ...SCRIPTS.map((name) => path.join(here, `src/ts/${name}.ts`))];
const manifest = { ...(await bundle(entryPoints)), ...(await images()) };
await writeFile(path.join(staging, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await writeFile(path.join(staging, "icons.json"), JSON.stringify(await icons()));
await writeFile(path.join(staging, "LICENSES.txt"), await licences());
await rm(target, { recursive: true, force: true });
await rename(staging, target);
console.log(Object.values(manifest).join("\n"));
