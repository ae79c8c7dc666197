// The till's camera: asked for by a button, started again by itself where it was allowed; the field stays as it is.
import { enhance, store, stored } from "./dom";

export interface CodeReader {
  detect(picture: HTMLCanvasElement): Promise<{ rawValue: string }[]>;
}
interface NativeReader {
  new (options: { formats: string[] }): CodeReader;
  getSupportedFormats(): Promise<string[]>;
}

const REST_MS = 120; // between two looks, so that a slow tablet stays quick
const AGAIN_MS = 2_000; // the same code counts once while it is in sight and so long after
const SIDE = 640; // pixels of the square that is looked at
const FORMAT = "qr_code";
const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

let reader: Promise<CodeReader> | undefined;

/** The browser's own reader, or ours. */
function codeReader(script: string): Promise<CodeReader> {
  reader ??= (async () => {
    const native = (window as { BarcodeDetector?: NativeReader }).BarcodeDetector;
    if (native && (await native.getSupportedFormats()).includes(FORMAT)) {
      return new native({ formats: [FORMAT] });
    }
    return new Promise<CodeReader>((resolve, reject) => {
      document.addEventListener("codereader", (event) => resolve((event as CustomEvent<CodeReader>).detail), { once: true });
      const element = Object.assign(document.createElement("script"), { src: script, onerror: reject });
      document.head.append(element);
    });
  })();
  reader.catch(() => (reader = undefined));
  return reader;
}

/** The code that was read last: a card that still lies there is not opened again when its page is left. */
function remembered(): string {
  try {
    return sessionStorage.getItem("code") ?? "";
  } catch {
    return "";
  }
}
function remember(code: string): void {
  try {
    sessionStorage.setItem("code", code);
  } catch {
    // Storage may be closed: the card then opens once more.
  }
}

/** Name of the sentence that says why there is no picture. */
function reason(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return "denied";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return "missing";
  }
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "failed";
}

enhance<HTMLElement>("[data-camera]", (box) => {
  const part = <T extends Element>(name: string): T => box.querySelector<T>(`[data-camera-${name}]`)!;
  const video = part<HTMLVideoElement>("video");
  const view = part<HTMLElement>("view");
  const startButton = part<HTMLButtonElement>("start");
  const torchButton = part<HTMLButtonElement>("torch");
  const said = part<HTMLElement>("said");
  const form = part<HTMLFormElement>("form");
  const field = form.querySelector<HTMLInputElement>("input")!;
  const typed = document.querySelector<HTMLInputElement>("input[data-card-number]");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const brush = canvas.getContext("2d", { willReadFrequently: true })!;
  let stream: MediaStream | undefined;
  let sending = false;
  let last = remembered();
  let lastSeen = performance.now();

  const stop = (): void => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = undefined;
    video.srcObject = null;
    view.hidden = true;
    startButton.hidden = false;
  };
  const fail = (why: string): void => {
    stop();
    said.textContent = box.dataset[why] ?? "";
    typed?.focus();
  };

  const send = (code: string): void => {
    sending = true;
    view.classList.add("is-hit");
    field.value = code;
    form.requestSubmit();
  };
  /** One look; what is in sight already is not news. */
  const look = async (from: CodeReader): Promise<void> => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    if (side === 0 || sending) {
      return;
    }
    const left = (video.videoWidth - side) / 2;
    brush.drawImage(video, left, (video.videoHeight - side) / 2, side, side, 0, 0, SIDE, SIDE);
    const code = (await from.detect(canvas))[0]?.rawValue.trim();
    if (!code || sending || !stream) {
      return;
    }
    const now = performance.now();
    const isNew = code !== last || now - lastSeen > AGAIN_MS;
    last = code;
    lastSeen = now;
    if (isNew) {
      remember(code);
      send(code);
    }
  };
  const watch = async (from: CodeReader, mine: MediaStream): Promise<void> => {
    while (stream === mine && box.isConnected) {
      await look(from);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  };

  const start = async (): Promise<void> => {
    if (!navigator.mediaDevices) {
      fail("closed"); // an insecure address, or a browser inside of another app
      return;
    }
    if (startButton.ariaBusy === "true") {
      return;
    }
    said.textContent = "";
    startButton.ariaBusy = "true";
    try {
      const loading = codeReader(box.dataset["camera"] ?? "");
      const opened = await navigator.mediaDevices.getUserMedia(WANTED);
      stream = opened;
      const from = await loading;
      const track = opened.getVideoTracks()[0];
      track?.addEventListener("ended", () => fail("busy"));
      torchButton.hidden = !(track?.getCapabilities?.() as { torch?: boolean } | undefined)?.torch;
      video.srcObject = opened;
      view.hidden = false;
      startButton.hidden = true;
      await video.play();
      store("camera", "on");
      void watch(from, opened).catch(() => fail("failed"));
    } catch (error) {
      fail(reason(error));
    } finally {
      startButton.ariaBusy = null;
    }
  };

  startButton.addEventListener("click", () => void start());
  part<HTMLButtonElement>("stop").addEventListener("click", () => {
    store("camera", "");
    stop();
    typed?.focus();
  });
  torchButton.addEventListener("click", () => {
    const on = torchButton.getAttribute("aria-pressed") !== "true";
    const light = { advanced: [{ torch: on } as MediaTrackConstraintSet] };
    stream?.getVideoTracks()[0]?.applyConstraints(light).then(
      () => torchButton.setAttribute("aria-pressed", String(on)),
      () => (torchButton.hidden = true),
    );
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const answer = (event as CustomEvent<{ xhr: XMLHttpRequest; successful: boolean }>).detail;
    if (answer.xhr.getResponseHeader("HX-Redirect")) {
      return; // the customer's page opens: nothing else is read
    }
    if (!answer.successful) {
      said.textContent = box.dataset["unsent"] ?? "";
    }
    view.classList.remove("is-hit");
    lastSeen = performance.now();
    sending = false;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) {
      stop();
    } else if (!document.hidden) {
      void startAgain();
    }
  });

  const startAgain = async (): Promise<void> => {
    if (stream || stored("camera") !== "on" || !navigator.permissions) {
      return;
    }
    const state = await navigator.permissions.query({ name: "camera" as PermissionName }).catch(() => undefined);
    if (state?.state === "granted") {
      await start();
    }
  };
  void startAgain();
});
