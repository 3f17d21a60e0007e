/** Returns systemd's name of a service. Plans omit `.service`, but not `.timer`. */
export function unitName(service: string): string {
  return /\.(service|timer|socket)$/.test(service) ? service : `${service}.service`;
}
