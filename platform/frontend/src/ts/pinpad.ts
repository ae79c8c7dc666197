// The PIN sheet: first who, then four digits. Without a script the same form is a list of names and a password field.
import { all, enhance } from "./dom";

enhance<HTMLFormElement>("form[data-pinpad]", (form) => {
  const input = form.querySelector<HTMLInputElement>("[data-pin]");
  const ok = form.querySelector<HTMLButtonElement>("[data-pin-ok]");
  const who = form.querySelector<HTMLElement>("[data-pin-who]");
  if (!input || !ok) {
    return;
  }
  const personName = who?.querySelector("[data-pin-name]");
  const length = input.maxLength;
  const dots = all(".pin-dots i", form);
  const staff = all<HTMLInputElement>(".staff-tile input", form);
  input.tabIndex = -1;

  const show = (): void => {
    dots.forEach((dot, index) => dot.classList.toggle("is-set", index < input.value.length));
    ok.disabled = input.value.length !== length;
  };
  const type = (value: string): void => {
    form.classList.remove("is-wrong");
    input.value = value.slice(0, length);
    show();
  };
  const step = (name: "staff" | "pin"): void => {
    form.dataset["step"] = name;
    const chosen = staff.find((tile) => tile.checked);
    if (name === "pin" && chosen && personName) {
      personName.textContent = chosen.dataset["name"] ?? "";
    }
    if (name === "staff") {
      type("");
    }
  };

  for (const tile of staff) {
    // A finger chooses at once; with arrow keys the choice moves along and Enter confirms it.
    let touched = false;
    tile.parentElement?.addEventListener("pointerup", () => (touched = true));
    tile.parentElement?.addEventListener("click", () => {
      if (touched && tile.checked) {
        touched = false;
        step("pin");
      }
    });
  }
  who?.addEventListener("click", () => step("staff"));
  // A touched key must not take the focus: Enter on the keyboard would press it again.
  for (const key of all<HTMLButtonElement>(".pin-key", form)) {
    key.addEventListener("pointerdown", (event) => event.preventDefault());
  }
  for (const key of all<HTMLButtonElement>("[data-key]", form)) {
    key.addEventListener("click", () => type(input.value + (key.dataset["key"] ?? "")));
  }
  form.querySelector("[data-pin-back]")?.addEventListener("click", () => type(input.value.slice(0, -1)));

  document.addEventListener("keydown", (event) => {
    if (!form.isConnected || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (form.dataset["step"] === "staff") {
      if (event.key === "Enter" && staff.some((tile) => tile.checked)) {
        event.preventDefault();
        step("pin");
      }
    } else if (/^\d$/.test(event.key)) {
      event.preventDefault();
      type(input.value + event.key);
    } else if (event.key === "Backspace") {
      event.preventDefault();
      type(input.value.slice(0, -1));
    } else if (event.key === "Enter" && input.value.length === length) {
      event.preventDefault();
      form.requestSubmit(ok);
    }
  });
  form.addEventListener("submit", (event) => {
    if (input.value.length !== length) {
      event.preventDefault();
    }
  });

  input.value = "";
  show();
  step(staff.length > 0 && !staff.some((tile) => tile.checked) ? "staff" : "pin");
});
