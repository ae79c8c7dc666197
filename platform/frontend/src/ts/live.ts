// Pages that follow what happens elsewhere: parts with hx-trigger="live from:body" fetch themselves again when the server
// says that something has changed, and every few seconds while it cannot say so. Nothing is done while nobody looks.
import { enhance } from "./dom";

const ASK_MS = 5_000; // between questions while changes are not heard of
const LOOK_MS = 60_000; // the same while they are: a word may be lost
const SILENCE_MS = 60_000; // without a word the connection is dead; the server says "ping" more often
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60_000;

/** Between half and one and a half times as long, so that many pages do not come at once. */
function spread(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random());
}

// Nothing changes places under a finger: what comes while one presses is asked for again when it has let go.
let pressed: Node | null = null;
let missed = false;

document.addEventListener("pointerdown", ({ target }) => (pressed = target as Node), true);
for (const end of ["pointerup", "pointercancel"]) {
  document.addEventListener(end, () => {
    setTimeout(() => { // after the click
      pressed = null;
      if (missed) {
        missed = false;
        document.body.dispatchEvent(new CustomEvent("live"));
      }
    });
  }, true);
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event as CustomEvent<{ target: Element; shouldSwap: boolean }>;
  if (detail.shouldSwap && detail.target.contains(pressed)) {
    detail.shouldSwap = false;
    missed = true;
  }
});

enhance<HTMLElement>("[data-live]", (note) => {
  const address = new URL(note.dataset["live"] ?? "", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let socket: WebSocket | undefined;
  let heard = false;
  let attempts = 0;
  let refused = false;
  let asking = 0;
  let waiting = 0;
  let silence = 0;

  const refresh = (): void => {
    document.body.dispatchEvent(new CustomEvent("live"));
    clearTimeout(asking);
    asking = setTimeout(refresh, spread(heard ? LOOK_MS : ASK_MS));
  };
  const listen = (word: string): void => {
    if (word === "bye" || word === "stop") {
      refused = word === "stop";
      lose();
      return;
    }
    socket?.send("ok");
    clearTimeout(silence);
    silence = setTimeout(lose, SILENCE_MS);
    if (word === "on" || word === "off") {
      heard = word === "on";
      attempts = 0;
    }
    if (word !== "ping") {
      refresh();
    }
  };
  const connect = (): void => {
    clearTimeout(waiting);
    if (socket || refused || document.hidden) {
      return;
    }
    const opened = new WebSocket(address);
    socket = opened;
    opened.addEventListener("message", ({ data }) => listen(String(data)));
    opened.addEventListener("close", () => {
      if (socket === opened) {
        lose();
      }
    });
  };
  const lose = (): void => {
    drop();
    refresh(); // whoever is signed out is led to the door
    waiting = setTimeout(connect, spread(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts)));
    attempts += 1;
  };
  const drop = (): void => {
    const old = socket;
    socket = undefined;
    heard = false;
    clearTimeout(silence);
    old?.close();
  };
  const sleep = (): void => {
    drop();
    clearTimeout(asking);
    clearTimeout(waiting);
  };
  const wake = (): void => {
    refresh();
    connect();
  };
  const tell = (offline: boolean): void => {
    note.textContent = offline ? (note.dataset["offline"] ?? "") : "";
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? sleep() : wake()));
  window.addEventListener("online", () => {
    attempts = 0;
    wake();
  });
  window.addEventListener("offline", () => tell(true));
  document.addEventListener("htmx:sendError", () => tell(true));
  document.addEventListener("htmx:beforeOnLoad", () => tell(false)); // an answer, whatever it says
  asking = setTimeout(refresh, spread(ASK_MS));
  connect();
});
