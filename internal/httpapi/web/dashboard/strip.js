// Draws the history of a conference: a lane for each person, or for many people a band for each status.

import { clock } from "./format.js";
import { statusAt } from "./history.js";
import { statuses, label } from "./roster.js";

/** With more people than this, lanes are too thin to be seen. */
const maxLanes = 40;
/** With fewer people than this, lanes would be too thick. */
const minLanes = 6;
const pixelsPerColumn = 3;
/** The share of its lane that a status fills, so that colours are not the only difference. */
const thickness = { connected: 0.8, held: 0.5, dialing: 0.3, pending: 0.3, disconnected: 0.12, rejected: 0.12 };

/** Draws the last minutes before `now`, which is at the right edge. */
export function drawStrip(canvas, history, now) {
  history.prune(now);
  const area = fit(canvas, heightFor(canvas, history));
  area.span = history.spanAt(now);
  const colours = coloursOf(canvas);
  area.context.clearRect(0, 0, area.width, area.height);
  const byLane = history.lanes.size <= maxLanes;
  if (byLane) drawLanes(area, history, now, colours);
  else drawBands(area, history, now, colours);
  drawGaps(area, history, now, colours);
  canvas.setAttribute("aria-label", describe(history, now));
}

/** Lanes have names where there is room. */
function hasNames(canvas, { lanes }) {
  return canvas.dataset.names !== undefined && lanes.size <= maxLanes && canvas.clientWidth > 500;
}

/** Returns the height that names need, or 0 for the height of the style sheet. */
function heightFor(canvas, history) {
  const size = Number.parseFloat(getComputedStyle(canvas).fontSize);
  return hasNames(canvas, history) ? Math.max(history.lanes.size, minLanes) * size * 1.4 : 0;
}

function fit(canvas, named) {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = named ? `${named}px` : "";
  const height = canvas.clientHeight;
  const width = canvas.clientWidth;
  const [pixels, lines] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixels || canvas.height !== lines) [canvas.width, canvas.height] = [pixels, lines];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height, names: named ? Math.min(width * 0.2, 220) : 0 };
}

function coloursOf(canvas) {
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    connected: colour("--good-fill"), held: colour("--hold-fill"), dialing: colour("--busy-fill"), pending: colour("--busy-fill"),
    disconnected: colour("--gone-fill"), rejected: colour("--bad-fill"),
    text: style.color, ground: colour("--panel"), line: colour("--faint"), font: style.fontFamily, size: Number.parseFloat(style.fontSize),
  };
}

function positionOf({ width, names, span }, now) {
  return (time) => names + (width - names) * Math.max(0, 1 - (now - time) / span);
}

function drawLanes(area, { lanes }, now, colours) {
  const { context, height, names, width } = area;
  const x = positionOf(area, now);
  const lane = height / Math.max(lanes.size, minLanes);
  context.textBaseline = "middle";
  context.font = `${Math.min(colours.size, lane * 0.8)}px ${colours.font}`;
  [...lanes.values()].forEach(({ person, parts }, index) => {
    const middle = (index + 0.5) * lane;
    context.fillStyle = colours.line;
    context.fillRect(names, middle - 0.5, width - names, 1);
    parts.forEach(({ status, from }, i) => {
      const thick = lane * (thickness[status] ?? 0);
      const [left, right] = [x(from), x(parts[i + 1]?.from ?? now)];
      context.fillStyle = colours[status] ?? colours.line;
      context.fillRect(left, middle - thick / 2, Math.max(right - left, 1), thick);
    });
    if (names) {
      context.fillStyle = colours.text;
      context.fillText(shorten(context, label(person), names - 10), 0, middle);
    }
  });
}

function shorten(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && context.measureText(text.slice(0, end) + "…").width > width) end--;
  return text.slice(0, end) + "…";
}

function drawBands(area, history, now, colours) {
  const { context, width, height, span } = area;
  for (let left = 0; left < width; left += pixelsPerColumn) {
    const counts = history.countsAt(now - span * (1 - (left + pixelsPerColumn) / width));
    let bottom = height;
    for (const status of statuses) {
      const tall = ((counts[status] ?? 0) / history.lanes.size) * height;
      context.fillStyle = colours[status];
      context.fillRect(left, bottom - tall, pixelsPerColumn, tall);
      bottom -= tall;
    }
  }
}

/** Hatches the times at which nothing was heard. */
function drawGaps(area, { gaps, began }, now, colours) {
  const x = positionOf(area, now);
  for (const [from, to] of gaps) {
    if (from > began) hatch(area, x(from), x(Math.min(to, now)), colours);
  }
}

function hatch({ context, height }, left, right, colours) {
  context.save();
  context.beginPath();
  context.rect(left, 0, Math.max(right - left, 2), height);
  context.clip();
  context.globalAlpha = 0.75;
  context.fillStyle = colours.ground;
  context.fillRect(left, 0, right - left, height);
  context.globalAlpha = 0.6;
  context.strokeStyle = colours.text;
  context.beginPath();
  for (let at = left - height; at < right; at += 8) {
    context.moveTo(at, height);
    context.lineTo(at + height, 0);
  }
  context.stroke();
  context.restore();
}

/** Says in words what the picture shows. */
function describe(history, now) {
  const counts = history.countsAt(now);
  const present = statuses.filter((status) => counts[status]).map((status) => `${counts[status]} ${status}`);
  const left = [...history.lanes.values()].filter(({ parts }) => statusAt(parts, now) === "").length;
  return `Who was in which status since ${clock(now - history.spanAt(now))}. Now: ${present.join(", ") || "nobody"}. ${left} left.`;
}
