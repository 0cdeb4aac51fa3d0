//! CloudWatch as the SDKs talk to it, in CBOR written by hand: what comes in can be looked at, and read back.

use system_tests::aws::{AwsStandIn, Fault, Options};

/// Just enough CBOR to say something to CloudWatch.
enum Cbor<'a> {
    Text(&'a str),
    Number(f64),
    /// In seconds since 1970.
    Time(f64),
    List(Vec<Cbor<'a>>),
    Map(Vec<(&'a str, Cbor<'a>)>),
}

impl Cbor<'_> {
    fn bytes(&self) -> Vec<u8> {
        // A major type in the upper three bits, then a length: below 24 there, else in a byte of its own.
        let head = |major: u8, length: usize| match u8::try_from(length).unwrap() {
            short @ 0..24 => vec![major << 5 | short],
            long => vec![major << 5 | 24, long],
        };
        let double = |value: &f64| [&[0xfb], value.to_be_bytes().as_slice()].concat();
        match self {
            Cbor::Text(text) => [head(3, text.len()), text.as_bytes().to_vec()].concat(),
            Cbor::Number(value) => double(value),
            Cbor::Time(seconds) => [vec![0xc1], double(seconds)].concat(),
            Cbor::List(items) => {
                items.iter().fold(head(4, items.len()), |all, item| [all, item.bytes()].concat())
            }
            Cbor::Map(fields) => fields.iter().fold(head(5, fields.len()), |all, (name, value)| {
                [all, Cbor::Text(name).bytes(), value.bytes()].concat()
            }),
        }
    }
}

async fn cloudwatch(aws: &AwsStandIn, operation: &str, arguments: Cbor<'_>) -> (u16, Vec<u8>) {
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    aws.signed("monitoring", &path, &headers, arguments.bytes()).await.unwrap()
}

fn datum<'a>(name: &'a str, at: f64, content: Vec<(&'a str, Cbor<'a>)>) -> Cbor<'a> {
    let dimension = Cbor::Map(vec![("Name", Cbor::Text("Mode")), ("Value", Cbor::Text("mechanic"))]);
    let mut fields = vec![("MetricName", Cbor::Text(name)), ("Timestamp", Cbor::Time(at))];
    fields.push(("Dimensions", Cbor::List(vec![dimension])));
    fields.extend(content);
    Cbor::Map(fields)
}

fn holds(answer: &[u8], part: &[u8]) -> bool {
    answer.windows(part.len()).any(|window| window == part)
}

const NOON: f64 = 1_767_268_800.0;

fn put<'a>(data: Vec<Cbor<'a>>) -> Cbor<'a> {
    Cbor::Map(vec![("Namespace", Cbor::Text("AICodeTeam")), ("MetricData", Cbor::List(data))])
}

#[tokio::test]
async fn what_cloudwatch_is_told_can_be_looked_at_and_read_back() {
    let aws = AwsStandIn::start(Options::default()).await;
    let one = datum("QueueDepth", NOON, vec![("Value", Cbor::Number(3.5)), ("Unit", Cbor::Text("Count"))]);
    let (values, counts) = ([1.0, 2.0].map(Cbor::Number).into(), [3.0, 4.0].map(Cbor::Number).into());
    let many = datum("StepsUsed", NOON, vec![("Values", Cbor::List(values)), ("Counts", Cbor::List(counts))]);
    let set = [("Sum", 9.0), ("SampleCount", 2.0), ("Minimum", 4.0), ("Maximum", 5.0)];
    let set = Cbor::Map(set.map(|(name, value)| (name, Cbor::Number(value))).into());
    let summed = datum("TokensUsed", NOON, vec![("StatisticValues", set)]);
    assert_eq!(cloudwatch(&aws, "PutMetricData", put(vec![one, many, summed])).await, (200, Vec::new()));

    let metrics = aws.metrics().await;
    let names: Vec<&str> = metrics.iter().map(|datum| datum.name.as_str()).collect();
    assert_eq!(names, ["QueueDepth", "StepsUsed", "TokensUsed"]);
    assert!(metrics.iter().all(|datum| datum.namespace == "AICodeTeam" && datum.timestamp == Some(NOON)));
    assert!(metrics.iter().all(|datum| datum.dimensions["Mode"] == "mechanic"));
    assert_eq!((metrics[0].value, metrics[0].unit.as_deref()), (Some(3.5), Some("Count")));
    assert_eq!((&metrics[1].values, &metrics[1].counts), (&Some(vec![1.0, 2.0]), &Some(vec![3.0, 4.0])));
    assert_eq!(metrics[2].statistics.as_ref().unwrap()["Sum"], 9.0);
    assert_eq!(aws.calls(0).await[0].data, Some(3));

    let question = Cbor::Map(vec![
        ("Namespace", Cbor::Text("AICodeTeam")),
        ("MetricName", Cbor::Text("StepsUsed")),
        ("StartTime", Cbor::Time(NOON - 60.0)),
        ("EndTime", Cbor::Time(NOON + 60.0)),
        ("Period", Cbor::Number(60.0)),
        ("Statistics", Cbor::List(vec![Cbor::Text("Sum")])),
    ]);
    let (status, answer) = cloudwatch(&aws, "GetMetricStatistics", question).await;
    assert_eq!(status, 200);
    let sum = [Cbor::Text("Sum").bytes(), Cbor::Number(11.0).bytes()].concat();
    assert!(holds(&answer, &sum), "1 three times and 2 four times: {answer:?}");
    assert!(
        holds(&answer, &[Cbor::Text("Timestamp").bytes(), vec![0xc1]].concat()),
        "a tagged time: {answer:?}"
    );
    aws.stop().await;
}

#[tokio::test]
async fn what_cloudwatch_does_not_take_is_refused_in_cbor() {
    let aws = AwsStandIn::start(Options::default()).await;
    let refused = |answer: &[u8], code| {
        holds(answer, &[Cbor::Text("__type"), Cbor::Text(code)].map(|word| word.bytes()).concat())
    };
    let nan = datum("QueueDepth", NOON, vec![("Value", Cbor::Number(f64::NAN))]);
    let (status, answer) = cloudwatch(&aws, "PutMetricData", put(vec![nan])).await;
    assert!(status == 400 && refused(&answer, "InvalidParameterValue"), "{status} {answer:?}");

    aws.fault("PutMetricData", Fault::Throttle, Some(1)).await;
    let good = || datum("QueueDepth", NOON, vec![("Value", Cbor::Number(1.0))]);
    let (status, answer) = cloudwatch(&aws, "PutMetricData", put(vec![good()])).await;
    assert!(status == 400 && refused(&answer, "ThrottlingException"), "{status} {answer:?}");
    assert!(aws.metrics().await.is_empty());
    assert_eq!(cloudwatch(&aws, "PutMetricData", put(vec![good()])).await.0, 200);
    assert_eq!(aws.metrics().await.len(), 1);
    aws.stop().await;
}
