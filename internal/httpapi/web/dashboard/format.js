// How values are shown.

const clockFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A point in time as a clock shows it; a dash where there is none. */
export function clock(time) {
  return time ? clockFormat.format(new Date(time)) : "–";
}

/** Whole seconds as 1:02:03 or 2:03. */
export function length(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** A value that may not be known yet. */
export function orDash(value) {
  return value === null || value === undefined || value === "" ? "–" : String(value);
}
