/**
 * The label with the share of an app in the requests of its deployment group, in percent. It is for load balancers: a change
 * restarts no task.
 */
export const SHARE_LABEL = 'HAPROXY_DEPLOYMENT_SHARE';
