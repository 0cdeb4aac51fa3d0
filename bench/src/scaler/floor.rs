//! The floor of a wake of the fleet: a bare LISTEN, a row with a notification, and one HTTP request to the stand-in for AWS on a
//! connection that is open already.

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use system_tests::aws::AwsStandIn;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::{ms_between, wall_clock};
use crate::bare::listen;
use crate::server::Server;

/// Looks something up, and so cannot be taken for one of the scaler's.
const OPERATION: &str = "DescribeScalableTargets";
const BODY: &str = r#"{"ServiceNamespace":"ecs","ResourceIds":["service/ai-coding-team/mechanic-worker"]}"#;
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/application-autoscaling/aws4_request, \
    SignedHeaders=host, Signature=none";

pub struct Floor {
    database: String,
    writer: Client,
    answered: mpsc::Receiver<u16>,
}

impl Floor {
    pub async fn start(server: &Server, aws: &AwsStandIn) -> anyhow::Result<Floor> {
        let database = server.fresh("template1").await?;
        let writer = server.client(&database).await?;
        writer.batch_execute("create table bench_rows (text text)").await?;
        let (listener, mut heard) = listen(server, &database, "bench_wake").await?;
        let host = aws.url().strip_prefix("http://").context("the stand-in has no address")?.to_owned();
        let (mut sender, connection) = handshake(TokioIo::new(TcpStream::connect(&host).await?)).await?;
        tokio::spawn(connection);
        let (report, answered) = mpsc::channel(1);
        tokio::spawn(async move {
            let _open = listener;
            while heard.recv().await.is_some() {
                let Ok(status) = call(&mut sender, &host).await else { return };
                if report.send(status).await.is_err() {
                    return;
                }
            }
        });
        Ok(Floor { database, writer, answered })
    }

    /// Milliseconds from COMMIT, as it is sent, to the arrival of the request.
    pub async fn wake(&mut self, aws: &AwsStandIn, after: usize) -> anyhow::Result<f64> {
        let transaction = self.writer.transaction().await?;
        let queue = "insert into bench_rows values ('make it work'); select pg_notify('bench_wake', '')";
        transaction.batch_execute(queue).await?;
        let start = wall_clock();
        transaction.commit().await?;
        let status = self.answered.recv().await.context("the stand-in for AWS closed the connection")?;
        ensure!(status == 200, "the stand-in for AWS answered with status {status}");
        let calls = aws.calls(after).await;
        let call = calls.iter().rfind(|call| call.operation == OPERATION);
        Ok(ms_between(start, call.context("the stand-in for AWS did not see the request")?.at_ns))
    }

    pub async fn stop(self, server: &Server) -> anyhow::Result<()> {
        server.drop(&self.database).await
    }
}

async fn call(sender: &mut SendRequest<Full<Bytes>>, host: &str) -> anyhow::Result<u16> {
    let request = Request::post("/")
        .header("host", host)
        .header("authorization", SIGNATURE)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AnyScaleFrontendService.{OPERATION}"))
        .body(Full::new(Bytes::from_static(BODY.as_bytes())))?;
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await?;
    Ok(status)
}
