/** systemd's name of a service: the plan writes it without `.service`, a timer's with its `.timer`. */
export function unitName(service: string): string {
  return /\.(service|timer|socket)$/.test(service) ? service : `${service}.service`;
}
