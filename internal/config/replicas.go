package config

// replicaVariables would have replicas share one feed, which this version does not do.
var replicaVariables = []string{"GATEWAY_REDIS_URL", "GATEWAY_REDIS_URL_FILE"}

// checkReplicas refuses what would otherwise be left out without a word: whoever sets it
// counts on one poll for all replicas (W14). The value may hold a password.
func (c *Config) checkReplicas(env *environment) error {
	for _, variable := range replicaVariables {
		if env.variables[variable] != "" {
			return wrong("%s is set, but this version runs as one process: it shares nothing with other replicas", variable)
		}
	}
	return nil
}
