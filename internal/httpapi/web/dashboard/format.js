// Formats values for the page.

const clockFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Formats a time of day, or a dash if there is none. */
export function clock(time) {
  return time ? clockFormat.format(new Date(time)) : "–";
}

/** Formats whole seconds as 1:02:03 or 2:03. */
export function length(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** Returns the value as text, or a dash if it is not known yet. */
export function orDash(value) {
  return value === null || value === undefined || value === "" ? "–" : String(value);
}

/** Formats a number of things: "1 person", "2 people". */
export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

/** Returns the seconds of a duration of the API, such as "1.5s". */
export function secondsOf(duration) {
  return duration ? Number.parseFloat(duration) : 0;
}

/** Formats a delay for a person: "a moment", "12 seconds", "3 minutes". */
export function delay(seconds) {
  if (seconds < 2) return "a moment";
  return seconds < 90 ? `${Math.ceil(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
}
