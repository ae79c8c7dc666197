// A till that nobody touches goes back to its start, so that the next person does not see the last customer.
import { enhance } from "./dom";

const SIGNS = ["pointerdown", "pointermove", "keydown", "scroll"] as const;

enhance<HTMLElement>("[data-idle]", (mark) => {
  const seconds = Number(mark.dataset["idle"]);
  const leave = (): void => {
    if (mark.isConnected) {
      location.replace(mark.dataset["idleUrl"] ?? "/");
    }
  };
  let timer = setTimeout(leave, seconds * 1000);
  for (const sign of SIGNS) {
    document.addEventListener(
      sign,
      () => {
        clearTimeout(timer);
        timer = setTimeout(leave, seconds * 1000);
      },
      { passive: true },
    );
  }
});
