export interface Comment {
  author: string;
  /** Their own site, as they typed it. */
  website?: string;
  text: string;
}
export function render(comment: Comment): string;
