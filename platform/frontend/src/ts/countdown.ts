// "Next stamp in 12 minutes", kept true. Speaks the page's language through Intl.
import { all, enhance } from "./dom";

const language = document.documentElement.lang || "en";

function unit(value: number, name: "minute" | "second" | "hour"): string {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "long" }).format(value);
}

function left(seconds: number): string {
  if (seconds > 119 * 60) {
    return unit(Math.ceil(seconds / 3600), "hour");
  }
  return seconds > 90 ? unit(Math.ceil(seconds / 60), "minute") : unit(seconds, "second");
}

enhance<HTMLTimeElement>("time[data-countdown]", (element) => {
  const end = Date.parse(element.dateTime);
  const tick = (): void => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 0 && element.isConnected) {
      element.textContent = left(seconds);
      setTimeout(tick, 1000);
      return;
    }
    const box = element.closest<HTMLElement>("[data-countdown-box]");
    if (box) {
      box.hidden = true;
    }
    for (const button of all<HTMLButtonElement>("[data-enable-after-countdown]")) {
      button.disabled = false;
    }
  };
  tick();
});
