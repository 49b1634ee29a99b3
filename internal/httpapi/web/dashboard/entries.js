// Reads the people to call from text: one a line, as CSV or as it was pasted from a table.

const roles = ["presenter", "listener", "operator"];

/** The gateway takes so many in one batch. */
export const maxEntries = 1000;

/** Takes away what people write between the digits of a phone number. */
export function cleanNumber(text) {
  return text.trim().replace(/[\s().\u2010-\u2015-]/g, "");
}

/**
 * Returns the people in a text: `{ line, entry, problem }`, with the number of the line, the entry
 * for the gateway, and why it cannot be used ("" if it can). A first line without a number is a header.
 */
export function parseEntries(text) {
  const rows = text.split(/\r?\n/).map((content, index) => ({ line: index + 1, fields: fieldsOf(content) }))
    .filter(({ fields }) => fields.some((field) => field !== ""));
  if (rows.length > 0 && !rows[0].fields.some(isNumber)) rows.shift();
  const seen = new Map();
  return rows.map(({ line, fields }) => {
    const { entry, problem } = entryOf(fields);
    const earlier = seen.get(entry.phone_number);
    seen.set(entry.phone_number, earlier ?? line);
    return { line, entry, problem: problem || (earlier ? `The number is on line ${earlier} already.` : "") };
  });
}

const isNumber = (field) => /^\+?\d{4,}$/.test(cleanNumber(field));

/** The number, the role and the word "muted" may be in any column; what is left is the name. */
function entryOf(fields) {
  const number = fields.find(isNumber) ?? "";
  const rest = fields.filter((field) => field !== number && field !== "");
  const role = rest.find((field) => roles.includes(field.toLowerCase())) ?? "";
  const muted = rest.find((field) => field.toLowerCase() === "muted") ?? "";
  const names = rest.filter((field) => field !== role && field !== muted);
  const entry = { phone_number: cleanNumber(number), name: names[0] ?? "", role: role.toLowerCase() || "listener", muted: muted !== "" };
  return { entry, problem: problemOf(number, names) };
}

function problemOf(number, names) {
  if (!number) return "There is no phone number on this line.";
  if (names.length > 1) return `“${names[1]}” is neither a role nor “muted”.`;
  return "";
}

/** Splits a line at its tabs, or semicolons, or commas. A quoted field may contain them. */
function fieldsOf(line) {
  const separator = ["\t", ";", ","].find((one) => line.includes(one)) ?? ",";
  const fields = line.match(new RegExp(`("(?:[^"]|"")*"|[^${separator}]*)(${separator}|$)`, "g")) ?? [];
  return fields.map((field) => field.replace(new RegExp(`${separator}$`), "").trim())
    .map((field) => (/^".*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"').trim() : field));
}
