package config

// replicaVariables configure a feed shared by replicas, which this version does not have.
var replicaVariables = []string{"GATEWAY_REDIS_URL", "GATEWAY_REDIS_URL_FILE"}

// checkReplicas refuses replica settings, since an operator who sets them expects one poll
// for all replicas (W14). The value may contain a password.
func (c *Config) checkReplicas(env *environment) error {
	for _, variable := range replicaVariables {
		if env.variables[variable] != "" {
			return usageError("%s is set, but this version runs as one process: it shares nothing with other replicas", variable)
		}
	}
	return nil
}
