// The number of stamps, by two big buttons. Without a script it is an ordinary number field.
import { all, enhance } from "./dom";

enhance<HTMLElement>(".stepper", (stepper) => {
  const input = stepper.querySelector<HTMLInputElement>("input");
  const buttons = all<HTMLButtonElement>("[data-step]", stepper);
  if (!input) {
    return;
  }
  const least = Number(input.min || 1);
  const most = Number(input.max || Infinity);
  const show = (): void => {
    const value = Number(input.value);
    for (const button of buttons) {
      const next = value + Number(button.dataset["step"]);
      button.disabled = next < least || next > most;
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const next = (Number(input.value) || 0) + Number(button.dataset["step"]);
      input.value = String(Math.min(most, Math.max(least, next)));
      show();
    });
  }
  input.addEventListener("input", show);
  show();
});
