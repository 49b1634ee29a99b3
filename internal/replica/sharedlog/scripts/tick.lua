-- tick advances the logical clock of a conference and returns its new time.
-- KEYS: clock
-- ARGV: the latest time that the caller knows
return next_tick(KEYS[1], tonumber(ARGV[1]))
