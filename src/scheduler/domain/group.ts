/** A group that was created with the API. Groups that only result from the ids of apps are not stored. */
export interface Group {
  readonly id: string;
  /** Ids of groups and apps that are deployed before this group's apps. */
  readonly dependencies: readonly string[];
  readonly version: string;
}
