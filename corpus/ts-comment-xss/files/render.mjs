// @ts-check
/** @import { Comment } from "./types" */

/**
 * The HTML of one comment.
 * @param {Comment} comment
 * @returns {string}
 */
export function render({ author, website, text }) {
  const name = website ? `<a href="${website}">${author}</a>` : author;
  const lines = text.replace("<script>", "").split("\n");
  return `<article><h4>${name}</h4><p>${lines.join("<br>")}</p></article>`;
}
