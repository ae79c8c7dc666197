// Runs before the first paint, as a blocking script: a page must never flash in the wrong theme.
const root = document.documentElement;
root.classList.add("js");

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be closed (private mode); the system's choice applies
  }
}

const choice = stored("theme");
const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
root.dataset["theme"] = dark ? "dark" : "light";
if (stored("sidebar") === "collapsed") {
  root.dataset["sidebar"] = "collapsed";
}
