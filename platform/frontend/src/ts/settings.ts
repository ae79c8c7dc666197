// Settings forms: the save bar appears when something changed, and the preview beside the form follows the inputs.
//
// data-preview-text="x"      → text of every [data-show="x"]
// data-preview-var="--brand" → CSS custom property on every [data-preview]; a colour also sets its readable foreground
// data-unsaved               → the control changes what is shown, not what is saved
// data-preview-attr="icon"   → attribute data-icon on every [data-preview]; [data-when-icon="…"] shows the matching one
import { all, enhance } from "./dom";

function luminance(hex: string): number {
  const channel = (offset: number): number => {
    const value = parseInt(hex.slice(offset, offset + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/** White where it is readable (WCAG AA), else near-black: the same rule as the server's brand_css. */
export function readableOn(hex: string): string {
  return 1.05 / (luminance(hex) + 0.05) >= 4.5 ? "#ffffff" : "#14151a";
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function previewText(control: Control): void {
  const text = control.value || control.dataset["previewEmpty"] || "";
  for (const element of all(`[data-show="${control.dataset["previewText"]}"]`)) {
    element.textContent = text;
  }
}

function previewVariable(control: Control): void {
  const name = control.dataset["previewVar"] ?? "";
  const colour = /^#[0-9a-f]{6}$/i.test(control.value);
  if (control.dataset["kind"] === "colour" && !colour) {
    return;
  }
  for (const preview of all<HTMLElement>("[data-preview]")) {
    preview.style.setProperty(name, control.value + (control.dataset["previewUnit"] ?? ""));
    if (colour) {
      const content = readableOn(control.value);
      preview.style.setProperty(`${name}-content`, content);
      const away = content === "#ffffff" ? "#000" : "#fff";
      preview.style.setProperty(`${name}-deep`, `color-mix(in oklab, ${control.value} 78%, ${away})`);
      preview.style.setProperty("--color-primary", control.value);
      const inked = `color-mix(in oklab, ${control.value} 70%, var(--color-base-content))`;
      preview.style.setProperty("--primary-text", inked);
      preview.style.setProperty("--primary-graphic", inked);
      preview.style.setProperty("--color-primary-content", content);
    }
  }
}

function previewAttribute(control: Control): void {
  const name = control.dataset["previewAttr"] ?? "";
  for (const preview of all<HTMLElement>("[data-preview]")) {
    preview.dataset[name] = control.value;
    for (const part of all<HTMLElement>(`[data-when-${name}]`, preview)) {
      part.hidden = part.getAttribute(`data-when-${name}`) !== control.value;
    }
  }
}

function follow(control: Control): void {
  if (control instanceof HTMLInputElement && control.type === "radio" && !control.checked) {
    return;
  }
  if (control.dataset["previewText"]) {
    previewText(control);
  }
  if (control.dataset["previewVar"]) {
    previewVariable(control);
  }
  if (control.dataset["previewAttr"]) {
    previewAttribute(control);
  }
}

function snapshot(form: HTMLFormElement): string {
  const unsaved = new Set(all<HTMLInputElement>("[data-unsaved]", form).map((control) => control.name));
  const saved = [...new FormData(form)].filter(([name]) => !unsaved.has(name));
  return JSON.stringify(saved.map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

enhance<HTMLFormElement>("form[data-settings]", (form) => {
  const before = snapshot(form);
  let leaving = false;
  const refresh = (): void => {
    form.classList.toggle("is-dirty", snapshot(form) !== before || form.dataset["settings"] === "dirty");
  };
  form.addEventListener("input", (event) => {
    follow(event.target as Control);
    refresh();
  });
  form.addEventListener("change", refresh);
  form.addEventListener("reset", () => {
    setTimeout(() => {
      for (const control of all<Control>("[data-preview-text], [data-preview-var], [data-preview-attr]", form)) {
        follow(control);
      }
      refresh();
    });
  });
  if (form.dataset["settings"] === "dirty") {
    // What came back with faults was never stored: the preview shows it all the same.
    all<Control>("[data-preview-var], [data-preview-attr]", form).forEach(follow);
  }
  form.addEventListener("submit", () => (leaving = true));
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && form.classList.contains("is-dirty")) {
      event.preventDefault();
    }
  });
  refresh();
});

// A colour has two inputs: the picker and the hex text. They say the same.
enhance<HTMLElement>(".colour", (box) => {
  const picker = box.querySelector<HTMLInputElement>('input[type="color"]');
  const text = box.querySelector<HTMLInputElement>('input[type="text"]');
  if (!picker || !text) {
    return;
  }
  picker.addEventListener("input", () => {
    text.value = picker.value;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  text.addEventListener("input", () => {
    if (/^#[0-9a-f]{6}$/i.test(text.value)) {
      picker.value = text.value;
    }
  });
});

// A picture of a page in a frame follows the form: the answer to the form's values names the picture's new address. It is
// replaced, so that the way back does not go through every colour that was tried.
enhance<HTMLElement>("[data-frame-url]", (part) => {
  const frame = document.querySelector<HTMLIFrameElement>("[data-look-frame]");
  const url = part.dataset["frameUrl"] ?? "";
  if (frame && frame.getAttribute("src") !== url && frame.contentWindow?.location.search !== new URL(url, location.href).search) {
    frame.contentWindow?.location.replace(url);
  }
});

// A chosen image shows at once, in the field and in the preview.
enhance<HTMLInputElement>('input[type="file"][data-preview-image]', (input) => {
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (!file) {
      return;
    }
    const url = URL.createObjectURL(file);
    for (const image of all<HTMLImageElement>(`img[data-show-image="${input.dataset["previewImage"]}"]`)) {
      image.src = url;
      image.hidden = false;
    }
  });
});
