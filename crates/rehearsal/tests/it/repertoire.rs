//! Several scripts at once.

use rehearsal::{Rehearsal, Repertoire, Script};
use serde_json::json;

use crate::stage::{refused, request, send, user};

fn says(words: &str) -> Script {
    let text =
        json!({"name": words, "description": "d", "turns": [{"content": [{"type": "text", "text": words}]}]});
    Script::parse(&text.to_string()).unwrap()
}

#[tokio::test]
async fn the_first_words_choose_the_script() {
    let repertoire =
        Repertoire::new().with("fix the door", says("door")).with("fix the door bell", says("bell"));
    let rehearsal = Rehearsal::start(repertoire).await.unwrap();
    let ask = async |opening: &str| send(&rehearsal, &request(json!([user(opening)]))).await.1;
    assert_eq!(ask("Task: fix the door, please").await["content"][0]["text"], "door");
    assert_eq!(ask("fix the door bell").await["content"][0]["text"], "bell", "the longest cue that fits");
    let (status, message) = refused(&rehearsal, &request(json!([user("paint it")]))).await;
    assert!(status == 400 && message.contains("no rehearsal was written"), "{message}");
    let played: Vec<String> = rehearsal.played().into_iter().map(|played| played.script).collect();
    assert_eq!(played, ["door", "bell"]);
}
