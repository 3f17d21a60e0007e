/** Names of the files for Prometheus and Grafana; the configuration names the rules in the same directory. */

export const CONFIG_FILE = 'prometheus.yml';
export const RULES_FILE = 'mesosup-rules.yml';
export const DASHBOARD_FILE = 'mesosup-dashboard.json';
