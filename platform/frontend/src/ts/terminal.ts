// The till: the card field is always ready for a scanner or fingers, the camera is one tap away, waiting times count down.
import "./camera";
import "./countdown";
import "./idle";
import "./stepper";
import { enhance } from "./dom";

const GROUP = 4;
const DIGITS = 12;

/** 482174932841 → 4821-7493-2841; anything that is no card number stays as typed. */
export function grouped(text: string): string {
  const digits = text.replace(/[\s-]/g, "");
  if (!/^\d+$/.test(digits) || digits.length > DIGITS) {
    return text;
  }
  return digits.match(new RegExp(`.{1,${GROUP}}`, "g"))?.join("-") ?? digits;
}

enhance<HTMLInputElement>("input[data-card-number]", (input) => {
  input.focus();
  input.addEventListener("input", () => {
    const atEnd = input.selectionStart === input.value.length;
    const position = input.selectionStart ?? 0;
    const digitsBefore = input.value.slice(0, position).replace(/-/g, "").length;
    const next = grouped(input.value);
    if (next === input.value) {
      return;
    }
    input.value = next;
    if (!atEnd) {
      let seen = 0;
      let caret = 0;
      while (seen < digitsBefore && caret < next.length) {
        seen += next[caret] === "-" ? 0 : 1;
        caret += 1;
      }
      input.setSelectionRange(caret, caret);
    }
  });
  // A hardware scanner types into whatever has the focus: digits typed on the page go to the field.
  document.addEventListener("keydown", (event) => {
    const inField = (event.target as Element).closest?.("input, textarea, select, button, a, dialog");
    if (!inField && /^[\w]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      input.focus();
    }
  });
});
