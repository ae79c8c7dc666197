// Small helpers shared by the modules.

export function all<T extends Element>(selector: string, root: ParentNode = document): T[] {
  return [...root.querySelectorAll<T>(selector)];
}

/** Run `start` on every matching element now and on those that htmx brings later; once for each element. */
export function enhance<T extends Element>(selector: string, start: (element: T) => void): void {
  const seen = new WeakSet<Element>();
  const run = (root: ParentNode): void => {
    const found = all<T>(selector, root);
    if (root instanceof Element && root.matches(selector)) {
      found.unshift(root as unknown as T);
    }
    for (const element of found) {
      if (!seen.has(element)) {
        seen.add(element);
        start(element);
      }
    }
  };
  const begin = (): void => {
    run(document);
    document.body.addEventListener("htmx:load", (event) => run(event.target as Element));
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", begin);
  } else {
    begin();
  }
}

/** React to an event on the closest element that matches, whenever it came into the page. */
export function on(type: string, selector: string, handle: (element: HTMLElement, event: Event) => void): void {
  document.addEventListener(type, (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
    if (target) {
      handle(target, event);
    }
  });
}

/** What was stored, empty when nothing was or storage is closed. */
export function stored(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be closed (private mode): the choice then lasts for this page only.
  }
}
