// Reads QR codes from pictures, where the browser cannot do it by itself. A bundle of its own, loaded when a camera starts.
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import wasm from "zxing-wasm/reader/zxing_reader.wasm";
import type { CodeReader } from "./camera";

const here = (document.currentScript as HTMLScriptElement).src;
prepareZXingModule({ overrides: { locateFile: () => new URL(wasm, here).href } });

const detector: CodeReader = new BarcodeDetector({ formats: ["qr_code"] });
document.dispatchEvent(new CustomEvent("codereader", { detail: detector }));
