// Charts of the merchant's and operator's dashboards. The numbers come from the table beside the canvas, so that the
// page is complete without a script. Markup: see components/data.html, macro chart.
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from "chart.js";
import { all, enhance } from "./dom";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

const FAMILY = '"Inter Variable"';

type Series = { label: string; values: number[] };

function read(table: HTMLTableElement): { labels: string[]; series: Series[] } {
  const rows = [...table.tBodies[0]!.rows];
  const heads = [...table.tHead!.rows[0]!.cells].slice(1);
  return {
    labels: rows.map((row) => row.cells[0]!.textContent!.trim()),
    series: heads.map((head, index) => ({
      label: head.textContent!.trim(),
      values: rows.map((row) => Number(row.cells[index + 1]!.dataset["value"] ?? "0")),
    })),
  };
}

/** Resolve any CSS colour, colour-mix included, to one that a canvas understands. */
function colour(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function draw(box: HTMLElement, table: HTMLTableElement): Chart {
  const { labels, series } = read(table);
  const kind = box.dataset["chart"] === "bar" ? "bar" : "line";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", table.caption?.textContent?.trim() ?? "");
  box.querySelector(".chart-canvas")!.replaceChildren(canvas);
  const grid = colour("--color-base-300");
  const ink = colour("--muted");
  const surface = colour("--color-base-100");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  return new Chart<"line" | "bar">(canvas, {
    type: kind,
    data: {
      labels,
      datasets: series.map(({ label, values }, index) => {
        const line = colour(`--series-${(index % 4) + 1}`);
        return {
          label,
          data: values,
          borderColor: line,
          backgroundColor: kind === "bar" ? line : line.replace(/^rgb\((.*)\)$/, "rgba($1, 0.07)"),
          borderWidth: kind === "bar" ? 0 : 2,
          borderRadius: 4,
          maxBarThickness: 28,
          pointRadius: 0,
          pointHoverRadius: 4,
          pointHoverBorderWidth: 2,
          pointHoverBackgroundColor: line,
          pointHoverBorderColor: surface,
          tension: 0.3,
          fill: index === 0 && kind === "line",
        };
      }),
    },
    options: {
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 8 } },
      scales: {
        x: {
          stacked: box.dataset["stacked"] === "yes",
          grid: { display: false },
          border: { display: false },
          ticks: { color: ink, maxRotation: 0, autoSkipPadding: 24, font: { family: FAMILY, size: 12 } },
        },
        y: {
          stacked: box.dataset["stacked"] === "yes",
          beginAtZero: true,
          grid: { color: grid, lineWidth: 1 },
          border: { display: false, dash: [3, 3] },
          ticks: {
            color: ink,
            maxTicksLimit: 5,
            precision: 0,
            padding: 8,
            font: { family: FAMILY, size: 12 },
            callback: (value) => number.format(Number(value)),
          },
        },
      },
      plugins: {
        tooltip: {
          backgroundColor: "#1b1d23",
          titleFont: { family: FAMILY, weight: 600 },
          bodyFont: { family: FAMILY },
          padding: 12,
          cornerRadius: 8,
          boxPadding: 6,
          usePointStyle: true,
          callbacks: { label: (item) => ` ${item.dataset.label}: ${number.format(item.parsed.y ?? 0)}` },
        },
      },
    },
  });
}

enhance<HTMLElement>("[data-chart]", (box) => {
  const table = box.querySelector("table");
  if (!table) {
    return;
  }
  // A canvas does not wait for web fonts: draw when the family is there.
  let chart: Chart | undefined;
  const show = (): void => {
    chart?.destroy();
    chart = draw(box, table);
  };
  for (const details of all<HTMLDetailsElement>("details", box)) {
    details.open = false; // open without a script, closed beside a chart
  }
  box.classList.add("drawn");
  void document.fonts.load(`12px ${FAMILY}`).finally(show);
  document.addEventListener("themechange", show);
});
