/**
 * The ids that Marathon gives to the tasks of apps. Source: Marathon's documentation and answers.
 * - since 1.4: `group_app.instance-UUID._app.1`; without the attempt, `._app`, before 1.9
 * - before 1.4, and still for tasks from that time: `group_app.UUID`, with the attempt for tasks with volumes
 */
const TASK_ID =
  /^(?<app>[a-z0-9._-]+)\.(?:instance-[0-9a-f-]{36}\._app|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.\d+)?$/;

/** @returns the id of the app; undefined if no Marathon gives such an id to a task of an app */
export function appIdOf(taskId: string): string | undefined {
  const app = TASK_ID.exec(taskId)?.groups?.app;
  // Segments of app ids have no underscore.
  return app === undefined ? undefined : `/${app.replaceAll('_', '/')}`;
}
