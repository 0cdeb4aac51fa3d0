//! What the fleet is called on ECS: a cluster, and a service for each mode.

use domain::Mode;

/// A name that ECS would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no name of an ECS {what}: give the bare name, up to 255 letters, digits, hyphens and underscores, \
     no ARN"
)]
pub struct NameError {
    /// Cluster or service.
    pub what: &'static str,
    /// What was given.
    pub given: String,
}

/// The cluster's and the services' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    cluster: String,
    mechanic: String,
    genius: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            cluster: "ai-coding-team".to_owned(),
            mechanic: Mode::Mechanic.service().to_owned(),
            genius: Mode::Genius.service().to_owned(),
        }
    }
}

impl Names {
    /// The cluster, and the service of each mode.
    ///
    /// # Errors
    ///
    /// When ECS would not take a name.
    pub fn new(cluster: &str, mechanic: &str, genius: &str) -> Result<Self, NameError> {
        Ok(Self {
            cluster: checked("cluster", cluster)?,
            mechanic: checked("service", mechanic)?,
            genius: checked("service", genius)?,
        })
    }

    /// The service of `mode`.
    pub fn service(&self, mode: Mode) -> &str {
        match mode {
            Mode::Mechanic => &self.mechanic,
            Mode::Genius => &self.genius,
        }
    }

    /// The service of `mode` as Application Auto Scaling names it: `service/CLUSTER/SERVICE`.
    pub fn resource(&self, mode: Mode) -> String {
        format!("service/{}/{}", self.cluster, self.service(mode))
    }
}

fn checked(what: &'static str, name: &str) -> Result<String, NameError> {
    let fits = (1..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits { Ok(name.to_owned()) } else { Err(NameError { what, given: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_with_its_cluster() {
        let names = Names::new("team-dev", "m", "g").unwrap();
        assert_eq!(names.resource(Mode::Mechanic), "service/team-dev/m");
        assert_eq!(names.resource(Mode::Genius), "service/team-dev/g");
        assert_eq!(Names::default().resource(Mode::Genius), "service/ai-coding-team/genius-worker");
    }

    #[test]
    fn a_name_that_ecs_would_not_take_is_refused_with_what_to_give() {
        for name in ["", "a/b", "arn:aws:ecs:us-east-1:1:cluster/x", "with space", &"x".repeat(256)] {
            let error = Names::new(name, "m", "g").unwrap_err().to_string();
            assert!(error.contains("ECS cluster: give the bare name"), "{error}");
        }
        assert_eq!(Names::new("c", "m", "").unwrap_err().what, "service");
    }
}
