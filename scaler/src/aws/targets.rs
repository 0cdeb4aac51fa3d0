//! The two calls of Application Auto Scaling that the scaler makes, each as one request.

use std::time::SystemTime;

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace};
use domain::Mode;

use super::gate::{Gate, Permit};
use super::names::Names;
use super::per_mode::PerMode;
use aws_client::Aws;
use aws_client::Facts;
use aws_client::{About, AwsError, classify};

const REGISTER: &str = "application-autoscaling:RegisterScalableTarget";
const DESCRIBE: &str = "application-autoscaling:DescribeScalableTargets";

/// The scalable targets of the fleet.
#[derive(Clone, Debug)]
pub struct Targets {
    client: Client,
    aws: Aws,
    names: Names,
}

/// What became of a request that changes capacity.
#[derive(Debug)]
pub struct Answer {
    /// When it was handed to the connection; None: never.
    pub called_at: Option<SystemTime>,
    /// When this was known.
    pub at: SystemTime,
    pub result: Result<(), Refusal>,
}

/// Why capacity was not changed.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// By us: the permit ended before the request left.
    Lapsed,
    /// By AWS, or by what lies between.
    Failed(AwsError),
}

/// The bounds that a target has at AWS. None: the service is no scalable target yet.
pub type Bounds = Option<(i32, i32)>;

impl Targets {
    pub fn new(aws: &Aws, names: Names) -> Self {
        Self { client: Client::new(aws.sdk()), aws: aws.clone(), names }
    }

    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// Sets the capacity of `mode` to exactly `target`: a minimum and a maximum that are equal clamp it there at once.
    pub async fn register(&self, mode: Mode, target: u32, permit: Permit) -> Answer {
        let gate = Gate::with_permit(permit, self.aws.time().clone());
        let resource = self.names.resource(mode);
        // AWS counts in 32 bits with a sign, and the scaler's limits end far below.
        let target = i32::try_from(target).unwrap_or(i32::MAX);
        let result = self
            .client
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(&resource)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .min_capacity(target)
            .max_capacity(target)
            .customize()
            .interceptor(gate.clone())
            .send()
            .await;
        let result = match result {
            Ok(_) => Ok(()),
            Err(_) if gate.kept_back() => Err(Refusal::Lapsed),
            Err(error) => {
                let facts = Facts::of(&error, gate.passed_at().is_some());
                Err(Refusal::Failed(classify(&facts, self.about(REGISTER, &resource))))
            }
        };
        Answer { called_at: gate.passed_at(), at: self.aws.time().now(), result }
    }

    /// The bounds of both services, in one call.
    pub async fn describe(&self) -> Result<PerMode<Bounds>, AwsError> {
        let gate = Gate::open(self.aws.time().clone());
        let resources = PerMode::from_fn(|mode| self.names.resource(mode));
        let subject = format!("{} and {}", resources.mechanic, resources.genius);
        let answer = self
            .client
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_ids(&resources.mechanic)
            .resource_ids(&resources.genius)
            .customize()
            .interceptor(gate.clone())
            .send()
            .await
            .map_err(|error| {
                let facts = Facts::of(&error, gate.passed_at().is_some());
                classify(&facts, self.about(DESCRIBE, &subject))
            })?;
        match answer.scalable_targets {
            Some(found) => Ok(PerMode::from_fn(|mode| bounds(&found, resources.of(mode)))),
            None => {
                let facts = Facts::Garbled { status: 200, why: "it names no targets".to_owned() };
                Err(classify(&facts, self.about(DESCRIBE, &subject)))
            }
        }
    }

    fn about<'a>(&'a self, action: &'a str, subject: &'a str) -> About<'a> {
        About { action, subject, region: self.aws.region() }
    }
}

/// The bounds of `resource` among the targets that `found` lists.
fn bounds(found: &[ScalableTarget], resource: &str) -> Bounds {
    found
        .iter()
        .find(|target| target.resource_id() == resource)
        .map(|target| (target.min_capacity(), target.max_capacity()))
}

/// The capacity that `bounds` hold; None where they leave it open.
pub fn exact(bounds: Bounds) -> Option<u32> {
    bounds.filter(|(min, max)| min == max).and_then(|(min, _)| u32::try_from(min).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_bounds_say_what_the_capacity_is() {
        assert_eq!(exact(Some((3, 3))), Some(3));
        assert_eq!(exact(Some((0, 0))), Some(0));
        assert_eq!(exact(Some((0, 10))), None);
        assert_eq!(exact(Some((-1, -1))), None);
        assert_eq!(exact(None), None);
    }
}
