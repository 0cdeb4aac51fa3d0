//! What the API does and answers.

use serde_json::{Value, json};

use super::{APP_ID, Grant, Inner, LOGIN, State, diff};

/// A status, and what is known of the answer's body.
type Reply = (u16, Value);

const INSTALLATION: u64 = 77;

fn not_found() -> Reply {
    (404, json!({"message": "Not Found", "documentation_url": "https://docs.github.test"}))
}

fn invalid(message: &str, errors: Value) -> Reply {
    (422, json!({"message": message, "errors": errors, "documentation_url": "https://docs.github.test"}))
}

fn forbidden(message: &str) -> Reply {
    (403, json!({"message": message, "documentation_url": "https://docs.github.test"}))
}

fn unauthorized(message: &str) -> Reply {
    (401, json!({"message": message, "documentation_url": "https://docs.github.test"}))
}

/// Part `page` of a list, as `per_page` and `page` of the query say.
fn page(items: Vec<Value>, query: &str) -> Value {
    let number = |name: &str, default: usize| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30).min(100), number("page", 1));
    items.into_iter().skip(size * (page - 1)).take(size).collect()
}

impl Inner {
    /// Does what is asked; gives the status and the body.
    pub(super) fn answer(
        &self,
        method: &str,
        path: &str,
        query: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Reply {
        self.state.lock().unwrap().seen.push(format!("{method} {path}"));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (operation, reply) = self.route(method, &parts, query, token.unwrap_or_default(), body);
        let (status, known) = reply;
        let mut wrong = self.schemas.check_request(operation, body);
        let whole = if status < 300 && !known.is_null() {
            self.schemas.answer(operation, status, &known)
        } else {
            known
        };
        // What every operation may answer stands in none of their descriptions.
        if !matches!(status, 401 | 403 | 404) {
            wrong.extend(self.schemas.check_answer(operation, status, &whole));
        }
        self.state.lock().unwrap().wrong.extend(wrong);
        (status, whole)
    }

    fn route(
        &self,
        method: &str,
        parts: &[&str],
        query: &str,
        token: &str,
        body: &Value,
    ) -> (&'static str, Reply) {
        let as_app = |work: &dyn Fn() -> Reply| {
            let now = jiff::Timestamp::now().as_second();
            let issuer = self.key.lock().unwrap().issuer(token, now);
            match issuer {
                Ok(issuer) if issuer == APP_ID => work(),
                Ok(_) => unauthorized("Integration must be found"),
                Err(why) => unauthorized(why),
            }
        };
        match (method, parts) {
            ("GET", ["app"]) => ("GET /app", as_app(&|| (200, json!({"id": 4242, "slug": "codeteam-test"})))),
            ("GET", ["users", name]) => {
                let is_bot = *name == "codeteam-test%5Bbot%5D";
                let known = json!({"login": LOGIN, "id": 991, "type": "Bot"});
                let is_given =
                    self.state.lock().unwrap().tokens.get(token).is_some_and(|grant| !grant.revoked);
                let reply = match (is_given, is_bot) {
                    (false, _) => unauthorized("Bad credentials"),
                    (true, false) => not_found(),
                    (true, true) => (200, known),
                };
                ("GET /users/{username}", reply)
            }
            ("GET", ["repos", owner, name, "installation"]) => (
                "GET /repos/{owner}/{repo}/installation",
                as_app(&|| self.installation(&format!("{owner}/{name}"))),
            ),
            ("POST", ["app", "installations", id, "access_tokens"]) => (
                "POST /app/installations/{installation_id}/access_tokens",
                as_app(&|| if *id == INSTALLATION.to_string() { self.mint(body) } else { not_found() }),
            ),
            ("DELETE", ["installation", "token"]) => {
                let mut state = self.state.lock().unwrap();
                let reply = match state.tokens.get_mut(token) {
                    Some(grant) => {
                        grant.revoked = true;
                        (204, Value::Null)
                    }
                    None => unauthorized("Bad credentials"),
                };
                ("DELETE /installation/token", reply)
            }
            (_, ["repos", owner, name, rest @ ..]) => {
                let name = format!("{owner}/{name}");
                self.of_repository(method, &name, rest, query, token, body)
            }
            _ => panic!("no such thing on GitHub: {method} {parts:?}"),
        }
    }

    fn installation(&self, name: &str) -> Reply {
        let state = self.state.lock().unwrap();
        if state.uninstalled || !self.exists(name) {
            return not_found();
        }
        let suspended = state.suspended.then_some("2026-01-02T03:04:05Z");
        let owner = name.split('/').next().unwrap_or_default();
        (
            200,
            json!({"id": INSTALLATION, "suspended_at": suspended, "account": {"login": owner}, "permissions": {}}),
        )
    }

    fn mint(&self, body: &Value) -> Reply {
        let mut state = self.state.lock().unwrap();
        let wanted = body["repositories"][0].as_str().unwrap_or_default();
        let repository = std::fs::read_dir(&self.root).unwrap().flatten().find_map(|owner| {
            let found = owner.path().join(format!("{wanted}.git")).is_dir();
            found.then(|| format!("{}/{wanted}", owner.file_name().to_string_lossy()))
        });
        let Some(repository) = repository else {
            return invalid(
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
                json!([]),
            );
        };
        let given = state.permissions.clone().unwrap_or_else(
            || json!({"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write"}),
        );
        let asked = body["permissions"].as_object().cloned().unwrap_or_default();
        let is_given = |(name, level): (&String, &Value)| given[name] == *level || given[name] == "write";
        if !asked.iter().all(is_given) {
            return invalid("The permissions requested are not granted to this installation.", json!([]));
        }
        let token = format!("ghs_{}", uuid::Uuid::new_v4().simple());
        let grant = Grant { repository, permissions: body["permissions"].clone(), revoked: false };
        state.tokens.insert(token.clone(), grant);
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        (201, json!({"token": token, "expires_at": end.to_string(), "permissions": body["permissions"]}))
    }

    fn of_repository(
        &self,
        method: &str,
        name: &str,
        rest: &[&str],
        query: &str,
        token: &str,
        body: &Value,
    ) -> (&'static str, Reply) {
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let may = |permission: &str, level: &str, work: &dyn Fn() -> Reply| match self
            .may(token, name, permission, level)
        {
            Ok(()) => work(),
            Err(reply) => reply,
        };
        match (method, rest) {
            ("GET", []) => (
                "GET /repos/{owner}/{repo}",
                may("metadata", "read", &|| {
                    let head = diff::git(&self.repository(name), &["symbolic-ref", "--short", "HEAD"]);
                    let archived = self.state.lock().unwrap().archived;
                    (200, json!({"full_name": name, "default_branch": head, "archived": archived}))
                }),
            ),
            ("GET", ["pulls"]) => (
                "GET /repos/{owner}/{repo}/pulls",
                may("pull_requests", "read", &|| {
                    let head = query.split('&').find_map(|pair| pair.strip_prefix("head="));
                    let state = self.state.lock().unwrap();
                    let pulls = state.pulls.iter().filter(|(repository, _)| repository == name);
                    let pulls =
                        pulls.filter(|(_, pull)| head.is_none_or(|head| pull["head"]["label"] == head));
                    (200, page(pulls.map(|(_, pull)| pull.clone()).collect(), query))
                }),
            ),
            ("POST", ["pulls"]) => (
                "POST /repos/{owner}/{repo}/pulls",
                may("pull_requests", "write", &|| match self.refuses_pull(name, body) {
                    Some(reply) => reply,
                    None => (201, self.open(name, body.clone(), LOGIN)),
                }),
            ),
            ("GET", ["pulls", id]) => (
                "GET /repos/{owner}/{repo}/pulls/{pull_number}",
                may("pull_requests", "read", &|| {
                    let state = self.state.lock().unwrap();
                    pull(&state, name, number(id)).map_or_else(not_found, |pull| (200, pull.clone()))
                }),
            ),
            ("PATCH", ["pulls", id]) => (
                "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
                may("pull_requests", "write", &|| {
                    let mut state = self.state.lock().unwrap();
                    let found =
                        state.pulls.iter_mut().find(|(of, pull)| of == name && pull["number"] == number(id));
                    let Some((_, pull)) = found else { return not_found() };
                    for (key, value) in body.as_object().into_iter().flatten() {
                        pull[key] = value.clone();
                    }
                    (200, pull.clone())
                }),
            ),
            ("GET", ["pulls", id, "reviews"]) => (
                "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
                may("pull_requests", "read", &|| {
                    let state = self.state.lock().unwrap();
                    let of =
                        state.reviews.iter().filter(|(of, pull, _, _)| of == name && *pull == number(id));
                    (200, page(of.map(|(_, _, review, _)| review.clone()).collect(), query))
                }),
            ),
            ("POST", ["pulls", id, "reviews"]) => (
                "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
                may("pull_requests", "write", &|| self.review(name, number(id), body)),
            ),
            ("DELETE", ["pulls", _, "reviews", id]) => (
                "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
                may("pull_requests", "write", &|| {
                    let mut state = self.state.lock().unwrap();
                    let is_it = |review: &Value| review["id"] == number(id) && review["state"] == "PENDING";
                    match state.reviews.iter().position(|(_, _, review, _)| is_it(review)) {
                        Some(index) => (200, state.reviews.remove(index).2),
                        None => invalid("Can not delete a non-pending pull request review", json!([])),
                    }
                }),
            ),
            ("GET", ["issues", id, "comments"]) => (
                "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
                may("pull_requests", "read", &|| {
                    let state = self.state.lock().unwrap();
                    let of =
                        state.comments.iter().filter(|(of, issue, _)| of == name && *issue == number(id));
                    (200, page(of.map(|(_, _, comment)| comment.clone()).collect(), query))
                }),
            ),
            ("POST", ["issues", id, "comments"]) => (
                "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
                may("pull_requests", "write", &|| {
                    let mut state = self.state.lock().unwrap();
                    state.last_id += 1;
                    let page = format!("{}/{name}/pull/{id}#issuecomment-{}", self.url, state.last_id);
                    let comment = json!({"id": state.last_id, "body": body["body"], "html_url": page, "user": {"login": LOGIN, "id": 991}});
                    state.comments.push((name.to_owned(), number(id), comment.clone()));
                    (201, comment)
                }),
            ),
            ("PATCH", ["issues", "comments", id]) => (
                "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
                may("pull_requests", "write", &|| {
                    let mut state = self.state.lock().unwrap();
                    let found = state.comments.iter_mut().find(|(_, _, comment)| comment["id"] == number(id));
                    let Some((_, _, comment)) = found else { return not_found() };
                    comment["body"] = body["body"].clone();
                    (200, comment.clone())
                }),
            ),
            _ => panic!("no such thing on GitHub: {method} {rest:?}"),
        }
    }

    fn may(&self, token: &str, name: &str, permission: &str, level: &str) -> Result<(), Reply> {
        let state = self.state.lock().unwrap();
        let grant = state.tokens.get(token).filter(|grant| !grant.revoked);
        let Some(grant) = grant else { return Err(unauthorized("Bad credentials")) };
        if grant.repository != name {
            return Err(not_found());
        }
        let given = grant.permissions[permission].as_str().unwrap_or_default();
        if given != level && given != "write" {
            return Err(forbidden("Resource not accessible by integration"));
        }
        if level == "write" && state.archived {
            return Err(forbidden("Repository was archived so is read-only."));
        }
        Ok(())
    }

    fn refuses_pull(&self, name: &str, body: &Value) -> Option<Reply> {
        let state = self.state.lock().unwrap();
        let error = |message: &str| {
            let errors = json!([{"resource": "PullRequest", "code": "custom", "message": message}]);
            Some(invalid("Validation Failed", errors))
        };
        let (head, base) = (body["head"].as_str()?, body["base"].as_str()?);
        let tip = |branch: &str| {
            diff::git(
                &self.repository(name),
                &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{branch}")],
            )
        };
        if tip(head).is_none() || tip(base).is_none() {
            let field = if tip(head).is_none() { "head" } else { "base" };
            return Some(invalid(
                "Validation Failed",
                json!([{"resource": "PullRequest", "field": field, "code": "invalid"}]),
            ));
        }
        if body["draft"] == true && state.no_drafts {
            return error("Draft pull requests are not supported in this repository.");
        }
        let label = format!("{}:{head}", name.split('/').next()?);
        let stands = state.pulls.iter().any(|(of, pull)| {
            of == name && pull["head"]["label"] == label.as_str() && pull["state"] == "open"
        });
        if stands {
            return error(&format!("A pull request already exists for {label}."));
        }
        if tip(head) == tip(base) {
            return error(&format!("No commits between {base} and {head}"));
        }
        None
    }

    pub(super) fn open(&self, name: &str, asked: Value, by: &str) -> Value {
        let mut state = self.state.lock().unwrap();
        state.last_id += 1;
        let number = state.last_id;
        let (head, base) = (asked["head"].as_str().unwrap(), asked["base"].as_str().unwrap());
        let repository = self.repository(name);
        let tip =
            |branch: &str| diff::git(&repository, &["rev-parse", &format!("refs/heads/{branch}")]).unwrap();
        diff::git(&repository, &["update-ref", &format!("refs/pull/{number}/head"), &tip(head)]).unwrap();
        let owner = name.split('/').next().unwrap();
        let pull = json!({
            "number": number, "id": number, "state": "open", "draft": asked["draft"] == true, "title": asked["title"],
            "body": asked["body"], "html_url": format!("{}/{name}/pull/{number}", self.url), "user": {"login": by},
            "head": {"ref": head, "sha": tip(head), "label": format!("{owner}:{head}")},
            "base": {"ref": base, "sha": tip(base), "label": format!("{owner}:{base}")},
        });
        state.pulls.push((name.to_owned(), pull.clone()));
        pull
    }

    fn review(&self, name: &str, number: u64, body: &Value) -> Reply {
        let mut state = self.state.lock().unwrap();
        let Some(found) = pull(&state, name, number).cloned() else { return not_found() };
        let repository = self.repository(name);
        let tip = |side: &str| found[side]["sha"].as_str().unwrap().to_owned();
        let head = body["commit_id"].as_str().map_or_else(|| tip("head"), str::to_owned);
        if diff::git(&repository, &["merge-base", "--is-ancestor", &head, &tip("head")]).is_none() {
            return invalid("Unprocessable Entity", json!(["Commit is not part of the pull request"]));
        }
        let comments = body["comments"].as_array().cloned().unwrap_or_default();
        let refused: Vec<String> = comments
            .iter()
            .filter_map(|comment| diff::refuses(&repository, &tip("base"), &head, comment))
            .collect();
        if !refused.is_empty() {
            return invalid("Unprocessable Entity", json!(refused));
        }
        let pending = body["event"].is_null();
        let begun = state
            .reviews
            .iter()
            .any(|(of, pull, review, _)| of == name && *pull == number && review["state"] == "PENDING");
        if pending && begun {
            return invalid(
                "Unprocessable Entity",
                json!(["User can only have one pending review per pull request"]),
            );
        }
        state.last_id += 1;
        let review = json!({
            "id": state.last_id, "state": if pending { "PENDING" } else { "COMMENTED" }, "commit_id": head,
            "body": body["body"].as_str().unwrap_or_default(), "user": {"login": LOGIN, "id": 991},
            "html_url": format!("{}/{name}/pull/{number}#pullrequestreview-{}", self.url, state.last_id),
        });
        state.reviews.push((name.to_owned(), number, review.clone(), comments));
        (200, review)
    }
}

fn pull<'a>(state: &'a State, name: &str, number: u64) -> Option<&'a Value> {
    state.pulls.iter().find(|(of, pull)| of == name && pull["number"] == number).map(|(_, pull)| pull)
}
