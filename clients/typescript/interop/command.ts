/** A line of the input. Which fields are set depends on the call. */
export interface Command {
  id: string;
  call: string;
  target?: string;
  url?: string;
  credential?: string;
  credentials?: string[];
  conference?: string;
  participant?: string;
  phone_number?: string;
  name?: string;
  role?: string;
  muted?: boolean;
  request_id?: string;
  validate_only?: boolean;
  wait_for_answer?: boolean;
  statuses?: string[];
  roles?: string[];
  participant_ids?: string[];
  page_size?: number;
  heartbeat_s?: number;
  continue?: string;
  watch?: string;
  entries?: { phone_number?: string; name?: string; role?: string }[];
  resume?: boolean;
}

/** Prints a line of the output. */
export type Print = (line: object) => void;

/** Returns a command without the fields that are null. */
export function parseCommand(line: string): Command {
  return JSON.parse(line, (_, value: unknown) => value ?? undefined) as Command;
}
