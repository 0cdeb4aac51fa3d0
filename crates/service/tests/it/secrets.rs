//! The secrets file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use service::{ExposeSecret, Keyring, Name, Redaction, SecretString, Secrets, SecretsError};
use tempfile::TempDir;

use crate::rerun::rerun_as_nobody;

const VALUE: &str = "sk-do-not-show-this";
const FILE: &str = "SERVICE_TEST_FILE";

struct Case {
    dir: TempDir,
}

impl Case {
    fn with(content: impl AsRef<[u8]>) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let case = Case { dir };
        fs::write(case.path(), content).unwrap();
        case.mode(0o600);
        case
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("secrets.json")
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.path(), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn open(&self) -> Result<Secrets, SecretsError> {
        open(&self.path())
    }

    /// The message of the refusal, which never shows a value.
    fn refusal(&self) -> String {
        let error = self.open().unwrap_err();
        let shown = format!("{error:?} {}", service::exit::one_line(&error));
        assert!(!shown.contains("do-not-show"), "{shown}");
        error.to_string()
    }
}

fn open(path: &Path) -> Result<Secrets, SecretsError> {
    Secrets::open(&format!("file:{}", path.display()))
}

#[test]
fn a_private_file_of_known_names_is_read() {
    let case = Case::with(format!(r#"{{"OPENAI_API_KEY": "{VALUE}", "GOOGLE_API_KEY": "  "}}"#));
    let secrets = case.open().unwrap();
    assert_eq!(secrets.get(Name::OpenaiApiKey).unwrap().expose_secret(), VALUE);
    assert!(secrets.get(Name::GoogleApiKey).is_none(), "an empty value is an absent one");
    let missing = secrets.require(Name::DatabaseUrl).unwrap_err().to_string();
    assert!(
        missing.contains(r#"add "DATABASE_URL": "...""#) && missing.contains("secrets.json"),
        "{missing}"
    );
}

#[test]
fn debug_output_shows_names_only() {
    let case = Case::with(format!(r#"{{"OPENAI_API_KEY": "{VALUE}"}}"#));
    let shown = format!("{:?}", case.open().unwrap());
    assert!(shown.contains("OpenaiApiKey") && !shown.contains("do-not-show"), "{shown}");
}

#[test]
fn a_file_that_others_could_read_or_write_is_refused() {
    let case = Case::with(format!(r#"{{"OPENAI_API_KEY": "{VALUE}"}}"#));
    for mode in [0o644, 0o640, 0o620, 0o602, 0o601] {
        case.mode(mode);
        let message = case.refusal();
        assert!(message.contains(&format!("chmod 600 {}", case.path().display())), "{message}");
    }
    case.mode(0o400);
    case.open().unwrap();
}

#[test]
fn what_is_no_secrets_object_is_refused_by_its_place_and_never_quoted() {
    let cases = [
        (format!("{{\n  \"OPENAI_API_KEY\": {VALUE}\n}}"), "line 2, column"),
        (format!(r#"["{VALUE}"]"#), "line 1, column"),
        (format!(r#""{VALUE}""#), "line 1, column"),
        (format!(r#"{{"OPENAI_API_KEY": "{VALUE}"}} {VALUE}"#), "line 1, column"),
        (format!("{{\"OPENAI_API_KEY\": \"{VALUE}\n\"}}"), "written \\n"),
        (String::new(), "not one JSON object"),
        (format!(r#"{{"OPENAI_API_KEY": ["{VALUE}"]}}"#), "OPENAI_API_KEY in the secrets file"),
        (r#"{"OPENAI_API_KEY": null}"#.into(), "put its value in quotes"),
        (format!(r#"{{"OPENAI_API_KEY": "{VALUE}", "OPENAI_API_KEY": "other"}}"#), "twice"),
        (
            format!(r#"{{"OPENAI_KEY": "{VALUE}"}}"#),
            "\"OPENAI_KEY\": known are DATABASE_URL, OPENAI_API_KEY,",
        ),
        (format!("{{\"OPENAI_API_KEY\": \"{}\"}}", "x".repeat(1 << 20)), "more than 1048576 bytes"),
    ];
    for (content, expected) in cases {
        let message = Case::with(&content).refusal();
        assert!(message.contains(expected), "{message}");
    }
    assert!(Case::with([b'{', 0xff, b'}']).refusal().contains("not one JSON object"));
}

#[test]
fn what_is_no_file_is_refused_without_waiting_for_it() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()), Err(SecretsError::NotAFile { .. })));
    assert!(matches!(open(&dir.path().join("none")), Err(SecretsError::NotFound { .. })));
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    assert!(matches!(open(&pipe), Err(SecretsError::NotAFile { .. })));
}

#[test]
fn a_link_to_a_good_file_is_followed() {
    let case = Case::with("{}");
    let link = case.dir.path().join("link");
    std::os::unix::fs::symlink(case.path(), &link).unwrap();
    open(&link).unwrap();
}

#[test]
fn other_sources_are_answered_with_the_forms_that_there_are() {
    for source in ["", "file:", "aws:", "/etc/secrets.json", "vault:x", VALUE] {
        let error = Secrets::open(source).unwrap_err().to_string();
        assert!(error.contains("file:PATH nor aws:PREFIX") && !error.contains("do-not-show"), "{error}");
    }
}

#[test]
fn a_written_file_is_private_replaces_the_old_one_and_reads_back() {
    let case = Case::with("an old file that somebody left open");
    case.mode(0o644);
    let key = SecretString::from("-----BEGIN KEY-----\n\"ä\"\n-----END KEY-----\n");
    Secrets::write(&case.path(), [(Name::GithubAppPrivateKey, &key)]).unwrap();
    assert_eq!(fs::metadata(case.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    let read = case.open().unwrap();
    assert_eq!(read.get(Name::GithubAppPrivateKey).unwrap().expose_secret(), key.expose_secret());
    assert_eq!(fs::read_dir(case.dir.path()).unwrap().count(), 1, "nothing else is left in the folder");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = Secrets::write(Path::new("/nowhere/secrets.json"), []).unwrap_err().to_string();
    assert!(error.contains("/nowhere/secrets.json cannot be written"), "{error}");
}

#[test]
fn every_secret_is_hidden_and_the_databases_password_by_itself() {
    let case = Case::with(format!(
        r#"{{"OPENAI_API_KEY": "{VALUE}", "DATABASE_URL": "postgresql://worker:open-sesame-now@db:5432/codeteam"}}"#
    ));
    let redaction = Redaction::default();
    redaction.hide_all(&case.open().unwrap());
    assert_eq!(
        redaction.apply(&format!("{VALUE} and open-sesame-now at db:5432")),
        "[redacted] and [redacted] at db:5432"
    );
}

#[test]
fn a_password_that_may_be_a_word_is_hidden_within_its_url_alone() {
    let url = "postgresql://worker:postgres@db:5432/codeteam";
    let case = Case::with(format!(r#"{{"DATABASE_URL": "{url}"}}"#));
    let redaction = Redaction::default();
    redaction.hide_all(&case.open().unwrap());
    assert_eq!(redaction.apply(&format!("{url} is of postgres")), "[redacted] is of postgres");
}

#[test]
fn anothers_file_is_refused_by_its_owner() {
    if !nix::unistd::geteuid().is_root() {
        return; // only root can leave a file to somebody else
    }
    let case = Case::with("{}");
    fs::set_permissions(case.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = rerun_as_nobody("secrets::opens_a_file_of_roots", case.dir.path());
    let output = command.env(FILE, case.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "started by the test above, as an ordinary user"]
fn opens_a_file_of_roots() {
    let path = std::env::var_os(FILE).expect("the file is given");
    let error = open(Path::new(&path)).unwrap_err();
    assert!(matches!(error, SecretsError::Foreign { owner: 0, reader: 65534, .. }), "{error}");
    assert!(error.to_string().contains("give it to user id 65534"), "{error}");
}

#[test]
fn a_key_that_was_refused_is_read_anew_and_hidden_before_it_is_used() {
    let json = |key: &str| format!(r#"{{"OPENAI_API_KEY": "{key}"}}"#);
    let case = Case::with(json("sk-the-old-one"));
    let redaction = Redaction::default();
    let keyring = Keyring::new(case.open().unwrap(), redaction.clone());
    let old = keyring.require(Name::OpenaiApiKey).unwrap();
    assert!(keyring.another(Name::OpenaiApiKey, &old).unwrap().is_none(), "it is the same still");
    let keyring = Keyring::new(case.open().unwrap(), redaction.clone());
    fs::write(case.path(), json("sk-the-new-one")).unwrap();
    let new = keyring.another(Name::OpenaiApiKey, &old).unwrap().unwrap();
    assert_eq!(new.expose_secret(), "sk-the-new-one");
    assert_eq!(redaction.apply("sk-the-new-one, sk-the-old-one"), "[redacted], [redacted]");
    // Who was refused with the old one meanwhile gets the new one without another look.
    fs::remove_file(case.path()).unwrap();
    assert!(keyring.another(Name::OpenaiApiKey, &old).unwrap().is_some());
    assert!(keyring.another(Name::OpenaiApiKey, &new).unwrap().is_none(), "it was just read");
}
