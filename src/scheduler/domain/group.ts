/** A group of apps as it was put; groups that only follow from the ids of apps are not kept. */
export interface Group {
  readonly id: string;
  /** Ids of groups and apps that come before this group's apps in a deployment. */
  readonly dependencies: readonly string[];
  readonly version: string;
}
