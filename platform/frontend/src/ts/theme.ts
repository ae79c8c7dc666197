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
// A theme may say which scheme it is made for; without that the device decides.
const made = root.dataset["scheme"];
const preferred = made ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
const dark = choice === "dark" || (choice !== "light" && preferred === "dark");
root.dataset["theme"] = dark ? "dark" : "light";

// Until somebody has chosen, the side bar makes room for tables where there is little.
const narrow = matchMedia("(width < 80rem)");
const setSidebar = (): void => {
  root.dataset["sidebar"] = stored("sidebar") ?? (narrow.matches ? "collapsed" : "");
};
setSidebar();
narrow.addEventListener("change", setSidebar);
