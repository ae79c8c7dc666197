// On every page: htmx under a strict content security policy, theme switch, menus, dialogs, toasts, copy buttons.
import htmx from "htmx.org";
import { all, enhance, on, store } from "./dom";
import "./live";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // pages hold personal data: nothing of them in local storage

// --- Theme and side bar -------------------------------------------------------------------------------------------
const root = document.documentElement;

function markTheme(): void {
  for (const button of all<HTMLElement>("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset["setTheme"] === root.dataset["theme"]));
  }
}

function setTheme(theme: string): void {
  root.dataset["theme"] = theme;
  store("theme", theme);
  markTheme();
  document.dispatchEvent(new CustomEvent("themechange"));
}

on("click", "[data-set-theme]", (button) => setTheme(button.dataset["setTheme"] ?? "light"));
on("click", "[data-toggle-theme]", () => setTheme(root.dataset["theme"] === "dark" ? "light" : "dark"));
on("click", "[data-collapse-sidebar]", () => {
  const collapsed = root.dataset["sidebar"] !== "collapsed";
  root.dataset["sidebar"] = collapsed ? "collapsed" : "";
  store("sidebar", collapsed ? "collapsed" : "");
});
enhance("[data-set-theme]", markTheme);

// --- Menus ------------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  for (const menu of all<HTMLDetailsElement>("details.menu[open]")) {
    if (!menu.contains(event.target as Node)) {
      menu.open = false;
    }
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of all<HTMLDetailsElement>("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  }
  const typing = (event.target as Element).closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const search = document.querySelector<HTMLInputElement>("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  }
});

// --- Dialogs: a link to a confirmation page that opens in place when there is a script -----------------------------
on("click", "[data-dialog]", (opener, event) => {
  const dialog = document.getElementById(opener.dataset["dialog"] ?? "");
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
  }
});
on("click", "[data-close]", (button, event) => {
  const dialog = button.closest("dialog");
  if (dialog) {
    event.preventDefault();
    dialog.close();
  }
});
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    event.target.close(); // a click on the backdrop
  }
});

// --- Forms: never twice -----------------------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) {
    return;
  }
  const form = event.target as HTMLFormElement;
  if (form.dataset["sent"] === "yes") {
    event.preventDefault();
    return;
  }
  if (form.method === "post") {
    form.dataset["sent"] = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  }
});
function release(rootNode: ParentNode): void {
  for (const form of all<HTMLFormElement>("form[data-sent]", rootNode)) {
    delete form.dataset["sent"];
  }
  for (const button of all("button[aria-busy]", rootNode)) {
    button.removeAttribute("aria-busy");
  }
}
window.addEventListener("pageshow", () => release(document));
document.addEventListener("htmx:afterRequest", () => release(document));

// --- Toasts -------------------------------------------------------------------------------------------------------
const TOAST_MS = 6000;

function dismiss(toast: HTMLElement): void {
  toast.classList.add("is-leaving");
  setTimeout(() => toast.remove(), 160);
}

enhance<HTMLElement>(".toast", (toast) => {
  let timer = setTimeout(() => dismiss(toast), TOAST_MS);
  const hold = (): void => clearTimeout(timer);
  const resume = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => dismiss(toast), TOAST_MS);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", resume);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", resume);
});
on("click", "[data-dismiss]", (button) => {
  const toast = button.closest<HTMLElement>(".toast");
  if (toast) {
    dismiss(toast);
  }
});

// --- Copy -----------------------------------------------------------------------------------------------------------
on("click", "[data-copy]", async (button) => {
  await navigator.clipboard.writeText(button.dataset["copy"] ?? "");
  const label = button.querySelector("[data-copy-label]");
  if (label) {
    const before = label.textContent;
    label.textContent = button.dataset["copied"] ?? before;
    setTimeout(() => (label.textContent = before), 2000);
  }
});

// --- What the device knows, so that nobody has to say it ------------------------------------------------------------
enhance<HTMLInputElement>("[data-timezone]", (input) => {
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
});

on("click", "[data-print]", () => window.print());
