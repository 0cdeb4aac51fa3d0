import type { Http } from "./http";

export interface Rate {
  currency: string;
  perEuro: number;
}

export class Rates {
  constructor(private readonly http: Http) {}

  async get(currency: string): Promise<Rate> {
    const answer = await this.http.get(`/rates/${encodeURIComponent(currency)}`);
    return answer.json() as Promise<Rate>;
  }
}
